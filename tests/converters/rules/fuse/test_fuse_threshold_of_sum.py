"""Thresholds of sums of binary convolutions: strict stays strict, and nothing stands between a sum and its sign."""

from collections.abc import Callable

import numpy as np
import pytest

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.binarize import convolution
from mobile_bnn.converters.rules.fuse import distribute_affine_over_sum, fuse_affine, fuse_threshold_of_sum
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of, run
from tests.converters.rules.lowered import adversarial, check, convolve, lowered, sign, to_float

SHAPE = (1, 6, 6, 32)
generator = np.random.default_rng(5)
TERNARY = tf.constant(generator.choice([-0.5, 0.0, 0.5], (3, 3, 32, 40)), tf.float32)
ONE_SIGN = tf.constant(generator.choice([-1.0, 1.0], (3, 3, 32, 40)), tf.float32)
SECOND = filter_of("sign", (3, 3, 40, 8), 1)
TIMES = 2.0 ** generator.integers(-2, 3, 40).astype(np.float32)
SHIFT = generator.integers(-4, 5, 40).astype(np.float32) / 2
SIGNS = np.where(generator.random(40) < 0.5, np.float32(-1), np.float32(1))

CHAINS: dict[str, KerasFunction] = {
    "x > 0": lambda y: tf.where(y > 0, 1.0, -1.0),
    "x > 0.5": lambda y: tf.where(y > 0.5, 1.0, -1.0),
    "falling": lambda y: tf.where(y >= 0, -1.0, 1.0),
    "falling strict": lambda y: tf.where(y > 0, -1.0, 1.0),
    "batch norm": lambda y: tf.where(y * TIMES + SHIFT > 0, 1.0, -1.0),
    "batch norm of both signs": lambda y: tf.where(y * TIMES * SIGNS + SHIFT > 0, 1.0, -1.0),
    "relu": lambda y: tf.where(tf.nn.relu(y + SHIFT) > 0, 1.0, -1.0),
    "constant channels": lambda y: tf.where(y + SHIFT * 1e4 > 0, 1.0, -1.0),
}


def network(chain: KerasFunction, padding: str, pad: float | None = None) -> Callable[..., KerasTensor]:
    def function(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        y = chain(convolve(sign(x), first, padding))
        if pad is not None:
            y = tf.pad(y, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=pad)
        return convolve(y, second, "valid")

    return function


@pytest.mark.parametrize("padding", ["one", "valid", "zero"])
@pytest.mark.parametrize("chain", sorted(CHAINS))
def test_bits_are_exact_and_nothing_stands_between(chain: str, padding: str) -> None:
    kinds = {"LceBconv2d": 3, "LceQuantize": 2, "ADD": 1, "MUL": 0, "RELU": 0}
    check(network(CHAINS[chain], padding), SHAPE, kinds, TERNARY, SECOND, exact=True)


@pytest.mark.parametrize("weights", [TERNARY, ONE_SIGN], ids=["a sum", "one convolution"])
@pytest.mark.parametrize("chain", ["x > 0", "falling strict", "batch norm of both signs"])
def test_a_pad_that_splits_words_stays_between(chain: str, weights: KerasTensor) -> None:
    terms = 2 if weights is TERNARY else 1
    kinds = {"LceBconv2d": terms + 1, "ADD": terms - 1, "MUL": 0, "PADV2": 1}
    check(network(CHAINS[chain], "one", -1.0), SHAPE, kinds, weights, SECOND, exact=True)


@pytest.mark.parametrize("value", [0.25, -3.0])
def test_a_border_becomes_part_of_the_threshold(value: float) -> None:
    def function(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        padded = tf.pad(sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=value)
        y = convolve(padded, first, "valid") * TIMES + SHIFT
        return convolve(tf.where(y > 0, 1.0, -1.0), second, "valid")

    check(function, SHAPE, {"LceBconv2d": 3, "ADD": 2, "MUL": 0}, TERNARY, SECOND, exact=True)


def test_the_whole_sum_decides_whatever_the_scale() -> None:
    """0.3 is not a number of float32: TFLite's own kernels round sums that are 0. The sign does not depend on it."""
    scale = np.float32(0.3)

    def function(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        return convolve(tf.where(convolve(sign(x), first, "valid") > 0, 1.0, -1.0), second, "valid")

    binary, _ = lowered(to_float(function, SHAPE, TERNARY * 2 * scale, SECOND))
    x = adversarial(SHAPE)
    whole = convolve(sign(tf.constant(x)), TERNARY * 2, "valid").numpy()
    assert (whole == 0).any()
    expected = convolve(tf.constant(np.where(whole > 0, 1, -1).astype(np.float32)), SECOND, "valid")
    np.testing.assert_array_equal(run(binary, x), expected)


def before_fusion(function: Callable[..., KerasTensor], *weights: KerasTensor) -> TfliteModel:
    """The graph after the binary rules."""
    model = TfliteModel.read(to_float(function, SHAPE, *weights))
    (graph,) = model.graphs
    for operator in list(graph.operators):
        if operator.op_type == "CONV_2D":
            assert attempt(convolution, graph, operator) is None
    graph.remove_dead()
    return model


@pytest.mark.parametrize(
    ("function", "first", "reason"),
    [
        (
            lambda x, first, second: convolve(sign(convolve(sign(x), first)), second),
            TERNARY,
            "its sum is exact, and nothing stands between",
        ),
        (
            lambda x, first, second: convolve(sign(convolve(sign(x), first) - 0.5), second),
            ONE_SIGN,
            "one binary convolution writes bits by a threshold of its own",
        ),
        (
            lambda x, first, second: convolve(sign(convolve(sign(x), first) + 0.7 * convolve(sign(x), -first)), second),
            TERNARY + 0.25,
            "the multipliers of its sum have no common unit",
        ),
        (
            lambda x, first, second: convolve(sign(x), second),
            ONE_SIGN,
            "an input of the graph is part of the sum",
        ),
    ],
)
def test_refusals_say_why(function: Callable[..., KerasTensor], first: KerasTensor, reason: str) -> None:
    if reason.startswith("an input"):
        model = TfliteModel.read(to_float(function, (1, 6, 6, 40), first, SECOND))
        assert attempt(convolution, model.graphs[0], model.graphs[0].operators[-1]) is None
    else:
        model = before_fusion(function, first, SECOND)
    (graph,) = model.graphs
    quantize = [operator for operator in graph.operators if operator.op_type == "LceQuantize"][-1]
    assert attempt(fuse_threshold_of_sum, graph, quantize) == reason


@pytest.mark.parametrize(
    ("rule", "root", "weights"), [(fuse_affine, "LceBconv2d", ONE_SIGN), (distribute_affine_over_sum, "ADD", TERNARY)]
)
@pytest.mark.parametrize(("chain", "moves"), [("x > 0", False), ("x > 2", False), ("x >= 2", True)])
def test_a_constant_moves_only_where_strictness_survives(
    rule: object, root: str, weights: KerasTensor, chain: str, moves: bool
) -> None:
    """1.18e-38 and 2 + 2^-22 would be rounded away beside sums of 288 signs; 2 is not."""
    chains = {
        **CHAINS,
        "x > 2": lambda y: tf.where(y > 2, 1.0, -1.0),
        "x >= 2": lambda y: tf.where(y >= 2, 1.0, -1.0),
    }
    (graph,) = before_fusion(network(chains[chain], "one"), weights, SECOND).graphs
    quantize = [operator for operator in graph.operators if operator.op_type == "LceQuantize"][-1]
    shift = graph.producer(quantize.input(0))
    tensor = next(tensor for tensor in shift.inputs if tensor.content is None)
    operator = shift if root == "ADD" else graph.producer(tensor)
    told = attempt(rule, graph, operator)
    assert told == (None if moves else "a sign of its result would depend on how its sum is rounded")
