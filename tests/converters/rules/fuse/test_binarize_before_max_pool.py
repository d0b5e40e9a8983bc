"""Maximum pools on bits: after the sign they give what they gave before it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.binarize.convolution import rewrite as binarize_convolution
from mobile_bnn.converters.rules.fuse import binarize_before_max_pool
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import check, convolve, sign, to_float

CHANNELS = 40
SHAPE = (1, 9, 10, CHANNELS)
generator = np.random.default_rng(3)
WHOLE = generator.integers(-3, 4, CHANNELS).astype(np.float32)
GAMMA, BETA = generator.normal(size=(2, CHANNELS)).astype(np.float32)
FILTER = filter_of("sign", (3, 3, CHANNELS, 5))
FIRST = filter_of("sign", (3, 3, CHANNELS, CHANNELS), 1)

CHAINS: dict[str, KerasFunction] = {
    "none": lambda y: y,
    "rising": lambda y: y * np.abs(GAMMA) + BETA,
    "both ways": lambda y: y * GAMMA + BETA,
    "ties": lambda y: y - WHOLE,
    "falling ties": lambda y: WHOLE - y,
    "falling at zero": lambda y: -y,
    "relu": lambda y: tf.nn.relu(y) - 1,
}


def pooled(chain: KerasFunction, size: int, stride: int, padding: str) -> KerasFunction:
    return lambda x: sign(chain(tf.nn.max_pool2d(x, size, stride, padding)))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    chain=st.sampled_from(sorted(CHAINS)),
    window=st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from(["SAME", "VALID"])),
    padding=st.sampled_from(["valid", "zero"]),
)
def test_pools_of_floats(chain: str, window: tuple[int, int, str], padding: str) -> None:
    weights = filter_of("sign", (2, 2, CHANNELS, 5))

    def function(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(pooled(CHAINS[chain], *window)(x), weights, padding)

    kinds = {"MAX_POOL_2D": 0, "LceBMaxPool2d": 1, "LceQuantize": 1, "LceBconv2d": 1, "MUL": 0, "RELU": 0}
    check(function, SHAPE, kinds, weights, exact=True)


@pytest.mark.parametrize("padding", ["one", "valid", "zero"])
@pytest.mark.parametrize("chain", sorted(CHAINS))
def test_between_two_convolutions(chain: str, padding: str) -> None:
    def function(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        y = pooled(CHAINS[chain], 2, 2, "VALID")(convolve(sign(x), first, padding))
        return convolve(y, second, "valid")

    quantizes = 2 if padding == "zero" else 1
    kinds = {"LceBMaxPool2d": 1, "LceQuantize": quantizes, "LceBconv2d": 2}
    graph = check(function, SHAPE, kinds, FIRST, FILTER, exact=True)
    assert len(graph.operators) == sum(kinds.values())


def test_larqs_order_of_layers() -> None:
    def function(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        y = tf.nn.max_pool2d(convolve(sign(x), first), 2, 2, "VALID") * np.abs(GAMMA) + BETA
        return convolve(sign(y), second)

    kinds = {"LceBMaxPool2d": 1, "LceQuantize": 1, "LceBconv2d": 2}
    graph = check(function, SHAPE, kinds, FIRST, FILTER, exact=True)
    assert len(graph.operators) == 4


@pytest.mark.parametrize("chain", ["both ways", "falling ties", "falling at zero"])
def test_channels_that_fall_are_turned_back_for_readers_padded_with_ones(chain: str) -> None:
    def function(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        return convolve(pooled(CHAINS[chain], 2, 2, "VALID")(convolve(sign(x), first)), second)

    kinds = {"LceBMaxPool2d": 1, "LceQuantize": 1, "LceBconv2d": 2, "BITWISE_XOR": 1}
    graph = check(function, SHAPE, kinds, FIRST, FILTER, exact=True)
    assert len(graph.operators) == sum(kinds.values())


def two_readers(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
    y = tf.nn.max_pool2d(x, 2, 2, "VALID")
    return convolve(sign(y), weights) + tf.reduce_mean(y)


def shared_norm(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
    y = tf.nn.max_pool2d(x, 2, 2, "VALID") * 2.5
    return convolve(sign(y), weights) + tf.reduce_mean(y)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (
            lambda x, weights: convolve(pooled(tf.abs, 2, 2, "VALID")(x), weights),
            "its sign never changes",
        ),
        (
            lambda x, weights: convolve(pooled(lambda y: tf.abs(y) - 1, 2, 2, "VALID")(x), weights),
            "it is not known to be monotone (ABS, SUB, GREATER_EQUAL)",
        ),
        (two_readers, "MEAN, too, reads the result of MAX_POOL_2D"),
        (shared_norm, "MEAN, too, reads the result of MUL"),
        (lambda x, weights: convolve(sign(x), weights), "its input is not an element-wise function of one MAX_POOL_2D"),
    ],
)
def test_refusals_say_why(function: Callable[..., KerasTensor], reason: str) -> None:
    (graph,) = TfliteModel.read(to_float(function, SHAPE, FILTER)).graphs
    (convolution,) = (operator for operator in graph.operators if operator.op_type == "CONV_2D")
    binarize_convolution(graph, convolution)
    graph.remove_dead()
    (quantize,) = (operator for operator in graph.operators if operator.op_type == "LceQuantize")
    assert attempt(binarize_before_max_pool, graph, quantize) == reason
