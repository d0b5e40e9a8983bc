"""Convolutions of few-valued inputs and filters: what is written equals the float file, in LiteRT and in LCE."""

import numpy as np
import pytest
from float_files import to_float
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.linear_rules import FILTERS, INPUTS, check, filter_of, rewritten, run, sign


@pytest.mark.slow
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 999),
    kinds=st.tuples(st.sampled_from(sorted(INPUTS)), st.sampled_from(FILTERS)),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    taps=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.sampled_from([1, 20, 32, 40]),
    stride=st.integers(1, 2),
    padding=st.sampled_from(["SAME", "VALID", "one", "minus one", "asymmetric", "third"]),
)
def test_equals_float(
    seed: int,
    kinds: tuple[str, str],
    size: tuple[int, int],
    taps: tuple[int, int],
    channels: int,
    stride: int,
    padding: str,
) -> None:
    weights = filter_of(kinds[1], (*taps, channels, 5), seed)
    explicit = {"one": (1, 2, 1), "minus one": (1, 1, -1), "asymmetric": (0, 2, 0), "third": (1, 1, 1 / 3)}

    def function(x: KerasTensor) -> KerasTensor:
        y = INPUTS[kinds[0]](x)
        if padding in explicit:
            before, after, value = explicit[padding]
            y = tf.pad(y, [(0, 0), (before, after), (before, after), (0, 0)], constant_values=value)
        return tf.nn.conv2d(y, weights, stride, "SAME" if padding == "SAME" else "VALID")

    if padding == "VALID":
        size = (max(size[0], taps[0]), max(size[1], taps[1]))
    elif padding != "SAME":
        size = (size[0] + taps[0], size[1] + taps[1])
    check(to_float(function, (1, *size, channels)), (1, *size, channels))


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 999),
    kinds=st.tuples(st.sampled_from(sorted(INPUTS)), st.sampled_from(FILTERS)),
    groups=st.sampled_from([(32, 2), (64, 3), (16, 2), (16, 4), (8, 5), (4, 8), (48, 2), (40, 2), (2, 16), (96, 2)]),
    outputs=st.sampled_from([1, 3, 16]),
    padding=st.sampled_from(["SAME", "one", "minus one"]),
    stride=st.integers(1, 2),
)
def test_groups_equal_float(
    seed: int, kinds: tuple[str, str], groups: tuple[int, int], outputs: int, padding: str, stride: int
) -> None:
    size, count = groups
    weights = filter_of(kinds[1], (3, 2, size, count * outputs), seed)
    # Two signs for each weight that is not 0 anyway are twice as large as the smallest groups are.
    assume(size > 2 or kinds[1] in ("sign", "scaled", "ternary"))

    def function(x: KerasTensor) -> KerasTensor:
        y = INPUTS[kinds[0]](x)
        if padding != "SAME":
            value = 1 if padding == "one" else -1
            y = tf.pad(y, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=value)
        return tf.nn.conv2d(y, weights, stride, "SAME" if padding == "SAME" else "VALID")

    check(to_float(function, (1, 4, 5, size * count)), (1, 4, 5, size * count))


def filters_of(flatbuffer: bytes) -> list[tuple[int, ...]]:
    """The shapes of the packed filters."""
    (graph,) = TfliteModel.read(flatbuffer).graphs
    tensors = [operator.inputs[1] for operator in graph.operators if operator.op_type == "LceBconv2d"]
    return [tensor.shape for tensor in tensors if tensor is not None]


@pytest.mark.parametrize(
    ("size", "count", "filters"),
    [
        (32, 4, [(8, 3, 3, 1)]),  # groups of whole words are groups of LceBconv2d
        (64, 2, [(8, 3, 3, 2)]),
        (16, 4, [(8, 3, 3, 1)] * 2),  # two groups in a word
        (48, 4, [(8, 3, 3, 3)] * 2),  # two groups in three words
        (48, 3, [(9, 3, 3, 5)] * 2),  # three words do not divide the map
    ],
)
def test_groups_become_whole_words(size: int, count: int, filters: list[tuple[int, ...]]) -> None:
    weights = filter_of("scaled", (3, 3, size, filters[0][0]))
    shape = (1, 5, 5, size * count)
    binary = check(to_float(lambda x: tf.nn.conv2d(sign(x), weights, 1, "SAME"), shape), shape)
    assert filters_of(binary) == filters


def test_a_convolution_of_larq_is_one_operator() -> None:
    weights = filter_of("scaled", (3, 3, 32, 8))

    def function(x: KerasTensor) -> KerasTensor:
        padded = tf.pad(sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1.0)
        return tf.nn.conv2d(padded, weights, 1, "VALID")

    shape = (1, 6, 6, 32)
    check(to_float(function, shape), shape, {"LceQuantize": 1, "LceBconv2d": 1, "PADV2": 0, "SIGN": 0})


def test_two_convolutions_share_their_signs() -> None:
    first, second = filter_of("sign", (3, 3, 32, 8)), filter_of("sign", (1, 1, 32, 8), 1)
    shift = tf.constant(np.random.default_rng(0).normal(size=32), tf.float32)

    def function(x: KerasTensor) -> KerasTensor:
        signs = tf.where(x + shift > 0.5, 1.0, -1.0)
        return tf.nn.conv2d(signs, first, 1, "SAME") + tf.nn.relu(tf.nn.conv2d(signs, second, 1, "SAME"))

    check(to_float(function, (1, 5, 5, 32)), (1, 5, 5, 32), {"LceQuantize": 1, "LceBconv2d": 2})


def test_relu_bias_and_dilation() -> None:
    weights, bias = filter_of("scaled", (3, 3, 32, 8)), tf.constant(np.random.default_rng(0).normal(size=8), tf.float32)

    def function(x: KerasTensor) -> KerasTensor:
        return tf.nn.relu6(tf.nn.conv2d(sign(x), weights, 1, "SAME", dilations=2) + bias)

    check(to_float(function, (1, 7, 7, 32)), (1, 7, 7, 32))


def test_zeros_around_zeros_and_ones_take_no_constant_map() -> None:
    weights = filter_of("sign", (3, 3, 32, 64))
    shape = (1, 32, 32, 32)
    flatbuffer = to_float(lambda x: tf.nn.conv2d(INPUTS["heaviside"](x), weights, 1, "SAME"), shape)
    assert len(check(flatbuffer, shape, {"PADV2": 1, "ADD": 0})) < 10_000


@pytest.mark.parametrize(
    ("quantizer", "kinds"),
    [
        (larq.quantizers.SteTern(), {"LceQuantize": 2, "LceBconv2d": 2, "SIGN": 0}),
        (larq.quantizers.DoReFa(2), {"LceQuantize": 3, "LceBconv2d": 3, "ROUND": 0}),  # steps
        (larq.quantizers.DoReFa(3), {"LceQuantize": 3, "LceBconv2d": 3, "ROUND": 1}),  # digits
        (larq.quantizers.DoReFa(4), {"LceQuantize": 4, "LceBconv2d": 4, "ROUND": 1}),
        (lambda x: tf.round(tf.clip_by_value(x, -2.0, 2.0)), {"LceQuantize": 4, "LceBconv2d": 4}),  # five values
        (lambda x: sign(x) + 3 * sign(x - 1), {"LceQuantize": 2, "LceBconv2d": 2}),  # -4, -2, 4
    ],
)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_inputs_of_several_values(quantizer: KerasFunction, kinds: dict[str, int], padding: str) -> None:
    weights = filter_of("scaled", (3, 3, 32, 8))
    shape = (1, 6, 6, 32)
    check(to_float(lambda x: tf.nn.conv2d(quantizer(x), weights, 1, padding), shape), shape, kinds)


def test_values_of_each_channel_with_equal_distances() -> None:
    generator = np.random.default_rng(0)
    beta, gamma = (tf.constant(generator.normal(size=32), tf.float32) for _ in range(2))
    weights = filter_of("scaled", (3, 3, 32, 8))
    shape = (1, 6, 6, 32)
    for padding in ("VALID", "SAME"):
        function = lambda x: tf.nn.conv2d(sign(x - beta) + gamma, weights, 1, padding)  # noqa: B023, E731
        check(to_float(function, shape), shape, {"LceQuantize": 1, "LceBconv2d": 1})


def test_a_batch_that_is_open() -> None:
    weights = filter_of("scaled", (3, 3, 32, 8))
    function = lambda x: tf.nn.conv2d(larq.quantizers.DoReFa(2)(x), weights, 1, "SAME")  # noqa: E731
    check(to_float(function, (None, 6, 6, 32)), (3, 6, 6, 32))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tf.nn.conv2d(x, filter_of("sign", (3, 3, 32, 4)), 1, "SAME"), "not quantized"),
        (
            lambda x: tf.nn.conv2d(
                sign(x), np.random.default_rng(0).normal(size=(3, 3, 32, 4)).astype(np.float32), 1, "SAME"
            ),
            "no grid",
        ),
        (
            lambda x: tf.nn.conv2d(sign(x) * tf.range(1.0, 33.0), filter_of("sign", (3, 3, 32, 4)), 1, "SAME"),
            "its input has other values in each channel",
        ),
        (lambda x: tf.nn.conv2d(tf.clip_by_value(x, 3, 3), filter_of("sign", (3, 3, 32, 4)), 1, "SAME"), "one value"),
        (
            lambda x: tf.nn.conv2d(sign(x), filter_of("sign", (3, 3, 1, 32)), 1, "SAME"),
            None,
        ),
    ],
)
def test_refusals_say_why(function: KerasFunction, reason: str | None) -> None:
    _, answers = rewritten(to_float(function, (1, 6, 6, 32)))
    assert len(answers) == (reason is not None)
    assert reason is None or reason in answers[0]


def test_groups_that_fill_no_words_are_joined_however_many_they_are() -> None:
    weights = filter_of("sign", (3, 3, 3, 68))
    check(to_float(lambda x: tf.nn.conv2d(sign(x), weights, 1, "SAME"), (1, 3, 3, 204)), (1, 3, 3, 204))


@pytest.mark.parametrize("kind", ["sign", "scaled", "two bits"])
@pytest.mark.parametrize("bits", [2, 3])
def test_what_cancels_out_is_exactly_zero(kind: str, bits: int) -> None:
    """A batch norm and a sign after it would tell a rounding error from 0."""
    weights = filter_of(kind, (3, 3, 32, 8))
    shape = (1, 6, 6, 32)
    quantizer = larq.quantizers.DoReFa(bits)
    binary = check(to_float(lambda x: tf.nn.conv2d(quantizer(x), weights, 1, "SAME"), shape), shape)
    assert not run(binary, np.full(shape, -1, np.float32)).any()


def test_a_map_of_any_size_is_refused() -> None:
    weights = filter_of("sign", (3, 3, 32, 4))
    _, answers = rewritten(to_float(lambda x: tf.nn.conv2d(sign(x), weights, 1, "SAME"), (1, None, None, 32)))
    assert answers == ["the shape of its input is not fixed"]
