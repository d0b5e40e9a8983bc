"""What stands before a sign becomes a shift, and every sign stays."""

from collections.abc import Callable

import numpy as np
import pytest

from mobile_bnn.converters.rules.fuse import fold_affine_into_threshold
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import check, convolve, lowered, sign, to_float

SHAPE = (1, 6, 6, 32)
WEIGHTS = filter_of("sign", (3, 3, 32, 5))
generator = np.random.default_rng(3)
WHOLE = generator.integers(-3, 4, 32).astype(np.float32)
GAMMA, BETA = generator.normal(size=(2, 32)).astype(np.float32)


@pytest.mark.parametrize(
    ("function", "kinds"),
    [
        (lambda x: x * np.abs(GAMMA) + BETA, {"MUL": 0, "ADD": 1}),
        (lambda x: x * 0.01, {"MUL": 0, "ADD": 0}),
        (lambda x: (x + WHOLE) * 3, {"MUL": 0, "ADD": 1}),
        (lambda x: tf.nn.relu(x * GAMMA + BETA) * 3 - 1, {"MUL": 1, "ADD": 1, "RELU": 0, "SUB": 0}),
        (lambda x: tf.maximum(x, WHOLE) - WHOLE - 0.5, {"MAXIMUM": 0, "SUB": 0, "ADD": 1}),
    ],
)
def test_shorter(function: KerasFunction, kinds: dict[str, int]) -> None:
    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(sign(function(x)), weights)

    check(network, SHAPE, {"LceQuantize": 1, "LceBconv2d": 1, **kinds}, WEIGHTS, exact=True)


def shared(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
    y = x * GAMMA + BETA
    return tf.concat([convolve(sign(y), weights), y], -1)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x, w: convolve(sign(x), w), "no element-wise operator stands before it"),
        (lambda x, w: convolve(sign(x * GAMMA + BETA), w), "what stands before it is as short as can be"),
        (shared, "CONCATENATION, too, reads the result of ADD"),
        (lambda x, w: convolve(sign(tf.tanh(x)), w), "it is not known to be monotone (TANH, GREATER_EQUAL)"),
        (lambda x, w: convolve(sign(tf.nn.relu(x) + 1), w), "its sign never changes"),
    ],
)
def test_refusals_say_why(function: Callable[..., KerasTensor], reason: str) -> None:
    _, graph = lowered(to_float(function, SHAPE, WEIGHTS))
    (quantize,) = (operator for operator in graph.operators if operator.op_type == "LceQuantize")
    assert attempt(fold_affine_into_threshold, graph, quantize) == reason
