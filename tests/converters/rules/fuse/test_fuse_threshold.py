"""Thresholds in place of what stands between a binary convolution and a sign: every bit is that of the float file."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.bconv import pads_with_zeros
from mobile_bnn.converters.rules.binarize import convolution
from mobile_bnn.converters.rules.fuse import fuse_threshold
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import check, convolve, sign, to_float

SHAPE = (1, 6, 6, 32)
FIRST, SECOND = filter_of("sign", (3, 3, 32, 40)), filter_of("sign", (3, 3, 40, 8), 1)
generator = np.random.default_rng(3)
# Whole numbers make ties: a sum that becomes exactly 0.
WHOLE = generator.integers(-9, 9, 40).astype(np.float32)
GAMMA, BETA = generator.normal(size=(2, 40)).astype(np.float32) * 4
CONSTANT = np.where(np.arange(40) % 4 == 0, np.float32(1e4), np.where(np.arange(40) % 4 == 1, np.float32(-1e4), WHOLE))

CHAINS: dict[str, KerasFunction] = {
    "none": lambda y: y,
    "batch norm": lambda y: y * GAMMA + BETA,
    "ties": lambda y: y * 2 - 2 * WHOLE,
    "falling ties": lambda y: WHOLE - y,
    "constant channels": lambda y: y + CONSTANT,
    "all fall": lambda y: -y,
    "no sum": lambda y: y * np.where(WHOLE > 3, np.float32(0), GAMMA),
    "relu": lambda y: tf.nn.relu(y + WHOLE) - 3,
    "relu6 of the sum": lambda y: (tf.nn.relu6(y) - 5) * WHOLE,
    "prelu": lambda y: tf.maximum(y + BETA, (y + BETA) * 0.25) + WHOLE,
    "overflow": lambda y: y * 3e38,
}


def network(chain: KerasFunction, padding: str, stride: int = 1) -> Callable[..., KerasTensor]:
    return lambda x, first, second: convolve(sign(chain(convolve(sign(x), first, padding, stride))), second, "one")


@pytest.mark.parametrize("padding", ["one", "valid", "zero"])
@pytest.mark.parametrize("chain", sorted(CHAINS))
def test_bits_are_exact(chain: str, padding: str) -> None:
    kinds = {"LceBconv2d": 2, "LceQuantize": 2 if padding == "zero" else 1}
    graph = check(network(CHAINS[chain], padding), SHAPE, kinds, FIRST, SECOND, exact=True)
    assert len(graph.operators) == sum(kinds.values())


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 999),
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.sampled_from([1, 20, 32, 70]),
    outputs=st.sampled_from([1, 31, 64]),
    stride=st.integers(1, 2),
    padding=st.sampled_from(["one", "valid", "zero"]),
    order=st.lists(st.sampled_from(["mul", "add", "relu", "leaky", "half"]), max_size=4),
)
def test_any_chain(
    seed: int, size: tuple[int, int], channels: int, outputs: int, stride: int, padding: str, order: list[str]
) -> None:
    random = np.random.default_rng(seed)
    first = filter_of("sign", (*size, channels, outputs), seed)
    second = filter_of("sign", (1, 1, outputs, 3), seed)
    steps = {
        "mul": lambda y: y * random.normal(size=outputs).astype(np.float32),
        "add": lambda y: y + random.integers(-3, 4, outputs).astype(np.float32),
        "relu": tf.nn.relu,
        "leaky": lambda y: tf.nn.leaky_relu(y, 0.5),
        "half": lambda y: y * 0.5,
    }

    def chain(y: KerasTensor) -> KerasTensor:
        for name in order:
            y = steps[name](y)
        return y

    graph = check(
        lambda x, first, second: convolve(sign(chain(convolve(sign(x), first, padding, stride))), second, "valid"),
        (1, 5, 6, channels),
        {"LceBconv2d": 2},
        first,
        second,
        exact=True,
    )
    operators = [operator for operator in graph.operators if operator.op_type != "PADV2"]
    padded = [operator for operator in operators if operator.op_type == "LceBconv2d" and pads_with_zeros(operator)]
    assert len(operators) == 3 + len(padded)


def test_turned_filters_keep_their_names() -> None:
    graphs = [
        check(network(CHAINS[chain], "one"), SHAPE, {"LceBconv2d": 2}, FIRST, SECOND, exact=True)
        for chain in ("none", "all fall")
    ]
    plain, turned = ([o.inputs[1] for o in graph.operators if o.op_type == "LceBconv2d"] for graph in graphs)
    assert [tensor.name for tensor in turned] == [tensor.name for tensor in plain]
    np.testing.assert_array_equal(turned[0].values & 0xFF, ~plain[0].values & 0xFF)


def test_scaled_filters() -> None:
    scaled = filter_of("scaled", (3, 3, 32, 40))
    chain = CHAINS["batch norm"]
    check(network(chain, "one"), SHAPE, {"LceBconv2d": 2, "LceQuantize": 1}, scaled, SECOND, exact=True)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (
            lambda x, first, second: convolve(sign(x), second),
            "its input is not an element-wise function of one LceBconv2d",
        ),
        (
            lambda x, first, second: convolve(sign(tf.abs(convolve(sign(x), first)) - 40), second),
            "channel 0 changes its sign more than once",
        ),
        (
            lambda x, first, second: convolve(sign(convolve(sign(x), first, "zero")), second),
            "LCE's kernels write floats only where the padding is 0",
        ),
    ],
)
def test_refusals_say_why(function: Callable[..., KerasTensor], reason: str) -> None:
    channels = 40 if "not an element-wise function" in reason else 32
    model = TfliteModel.read(to_float(function, (1, 6, 6, channels), FIRST, SECOND))
    (graph,) = model.graphs
    for operator in list(graph.operators):
        if operator.op_type == "CONV_2D":
            assert attempt(convolution, graph, operator) is None
    graph.remove_dead()
    quantize = [operator for operator in graph.operators if operator.op_type == "LceQuantize"][-1]
    assert attempt(fuse_threshold, graph, quantize) == reason


def test_what_others_read_stays_float() -> None:
    def function(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        y = convolve(sign(x), first) * GAMMA
        return tf.concat([convolve(sign(y), second), y], -1)

    graph = check(function, SHAPE, {"LceBconv2d": 2, "LceQuantize": 2, "MUL": 0}, FIRST, SECOND)
    quantize = [operator for operator in graph.operators if operator.op_type == "LceQuantize"][-1]
    assert attempt(fuse_threshold, graph, quantize) == "CONCATENATION, too, reads the result of LceBconv2d"
