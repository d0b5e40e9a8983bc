"""Convolutions of few-valued inputs and filters: what is written equals the float file, in LiteRT with our library."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, load_delegate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.graph import TfliteModel
from mobile_bnn.converters.rules import binary_convolution
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import library_path

sign = larq.math.sign


def run(flatbuffer: bytes, x: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(
        model_content=flatbuffer, experimental_delegates=[load_delegate(str(library_path()), {"num_threads": "1"})]
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def to_float(function: Callable[[Any], Any], shape: tuple[int, ...]) -> bytes:
    concrete = tf.function(function).get_concrete_function(tf.TensorSpec(shape))
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())


def rewritten(flatbuffer: bytes) -> tuple[bytes, list[str | None]]:
    """The file after the rule was tried on every convolution, and what it said."""
    model = TfliteModel.read(flatbuffer)
    (graph,) = model.graphs
    convolutions = [operator for operator in graph.operators if operator.kind == "CONV_2D"]
    answers = [binary_convolution.apply(graph, operator) for operator in convolutions]
    graph.remove_dead()
    return model.write(), answers


def check(function: Callable[[Any], Any], shape: tuple[int, ...], kinds: dict[str, int] | None = None) -> None:
    flatbuffer = to_float(function, shape)
    binary, answers = rewritten(flatbuffer)
    assert answers
    assert set(answers) == {None}
    operators = [operator.kind for operator in TfliteModel.read(binary).graphs[0].operators]
    assert "CONV_2D" not in operators
    for kind, count in (kinds or {}).items():
        assert operators.count(kind) == count, operators
    generator = np.random.default_rng(0)
    x = generator.normal(size=shape).astype(np.float32)
    x[generator.random(shape) < 0.1] = 0
    x[generator.random(shape) < 0.1] = -0.0
    expected = run(flatbuffer, x)
    np.testing.assert_allclose(run(binary, x), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def filter_of(kind: str, shape: tuple[int, ...], seed: int = 0) -> Any:
    """A filter HWIO of few values."""
    generator = np.random.default_rng(seed)
    scale = generator.uniform(0.1, 2, shape[-1])
    if kind == "sign":
        values = generator.choice([-1.0, 1.0], shape)
    elif kind == "scaled":
        values = generator.choice([-1.0, 1.0], shape) * scale
    elif kind == "ternary":
        values = generator.choice([-1.0, 0.0, 1.0], shape) * scale
    elif kind == "lopsided":
        values = np.where(generator.random(shape) < 0.5, -0.25 * scale, scale)
    else:
        values = generator.choice([-1.0, -1 / 3, 1 / 3, 1.0], shape)
    return tf.constant(values, tf.float32)


INPUTS = {
    "sign": sign,
    "heaviside": lambda x: tf.cast(x >= 0, tf.float32),
    "threshold": lambda x: sign(x - 0.25),
    "falling": lambda x: tf.where(x > 0.1, -1.0, 1.0),
    "lopsided": lambda x: tf.where(x < 0.3, -2.0, 5.0),
}
FILTERS = ("sign", "scaled", "ternary", "lopsided", "two bits")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 999),
    kinds=st.tuples(st.sampled_from(sorted(INPUTS)), st.sampled_from(FILTERS)),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    taps=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.sampled_from([1, 20, 32, 40]),
    stride=st.integers(1, 2),
    padding=st.sampled_from(["SAME", "VALID", "one", "minus one", "asymmetric"]),
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
    explicit = {"one": (1, 2, 1), "minus one": (1, 1, -1), "asymmetric": (0, 2, 0)}

    def function(x: Any) -> Any:
        y = INPUTS[kinds[0]](x)
        if padding in explicit:
            before, after, value = explicit[padding]
            y = tf.pad(y, [(0, 0), (before, after), (before, after), (0, 0)], constant_values=value)
        return tf.nn.conv2d(y, weights, stride, "SAME" if padding == "SAME" else "VALID")

    if padding == "VALID":
        size = (max(size[0], taps[0]), max(size[1], taps[1]))
    elif padding != "SAME":
        size = (size[0] + taps[0], size[1] + taps[1])
    check(function, (1, *size, channels))


def test_a_convolution_of_larq_is_one_operator() -> None:
    weights = filter_of("scaled", (3, 3, 32, 8))

    def function(x: Any) -> Any:
        padded = tf.pad(sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1.0)
        return tf.nn.conv2d(padded, weights, 1, "VALID")

    check(function, (1, 6, 6, 32), {"LceQuantize": 1, "LceBconv2d": 1, "PADV2": 0, "SIGN": 0})


def test_two_convolutions_share_one_quantize() -> None:
    first, second = filter_of("sign", (3, 3, 32, 8)), filter_of("sign", (1, 1, 32, 8), 1)

    def function(x: Any) -> Any:
        signs = sign(x)
        return tf.nn.conv2d(signs, first, 1, "SAME") + tf.nn.relu(tf.nn.conv2d(signs, second, 1, "SAME"))

    check(function, (1, 5, 5, 32), {"LceQuantize": 1, "LceBconv2d": 2})


def test_relu_bias_and_dilation() -> None:
    weights, bias = filter_of("scaled", (3, 3, 32, 8)), tf.constant(np.random.default_rng(0).normal(size=8), tf.float32)
    check(lambda x: tf.nn.relu6(tf.nn.conv2d(sign(x), weights, 1, "SAME", dilations=2) + bias), (1, 7, 7, 32))


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
        (lambda x: tf.nn.conv2d(tf.sign(x), filter_of("sign", (3, 3, 32, 4)), 1, "SAME"), "its input has 3 values"),
        (lambda x: tf.nn.conv2d(sign(x), filter_of("sign", (3, 3, 16, 4)), 1, "SAME"), "it has groups"),
    ],
)
def test_refusals_say_why(function: Callable[[Any], Any], reason: str) -> None:
    _, answers = rewritten(to_float(function, (1, 6, 6, 32)))
    (answer,) = answers
    assert answer is not None
    assert reason in answer
