"""Affine maps after sums of binary convolutions move into each of them."""

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.rules.fuse import distribute_affine_over_sum
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import check, convolve, lowered, only, sign, to_float

SHAPE = (1, 5, 6, 32)
GAMMA, BETA = np.random.default_rng(3).normal(size=(2, 8)).astype(np.float32)
NONE = dict.fromkeys(("MUL", "SUB", "DIV"), 0)


@pytest.mark.parametrize("padding", ["one", "zero", "valid"])
@pytest.mark.parametrize(("kind", "terms"), [("ternary", 2), ("two bits", 2), ("lopsided", 2)])
def test_a_batch_norm_after_a_filter_of_several_bases(kind: str, terms: int, padding: str) -> None:
    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(sign(x), weights, padding) * GAMMA + BETA

    kinds = {"LceQuantize": 1, "LceBconv2d": terms, "ADD": terms - 1, **NONE}
    check(network, SHAPE, kinds, filter_of(kind, (3, 3, 32, 8)))


def test_a_constant_border_is_scaled_with_them() -> None:
    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        padded = tf.pad(sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=0.25)
        return (convolve(padded, weights, "valid") - BETA) * GAMMA

    kinds = {"LceQuantize": 1, "LceBconv2d": 1, "ADD": 1, **NONE}
    check(network, SHAPE, kinds, filter_of("sign", (3, 3, 32, 8)))


def test_an_activation_stays() -> None:
    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return tf.nn.relu(convolve(sign(x), weights) * GAMMA + BETA)

    kinds = {"LceQuantize": 1, "LceBconv2d": 2, "ADD": 1, "RELU": 0, **NONE}
    graph = check(network, SHAPE, kinds, filter_of("ternary", (3, 3, 32, 8)))
    assert only(graph, "ADD").options.fusedActivationFunction == schema.ActivationFunctionType.RELU


def signs(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
    return convolve(sign(x), weights)


@pytest.mark.parametrize(
    ("function", "kind", "reason"),
    [
        (
            lambda x, w: signs(x, w) * np.arange(5, dtype=np.float32).reshape(1, 5, 1, 1),
            "sign",
            "it does not read a sum",
        ),
        (
            lambda x, w: (signs(x, w) + x[..., :8]) * GAMMA,
            "sign",
            "STRIDED_SLICE is part of the sum",
        ),
        (
            lambda x, w: (lambda y: y * GAMMA + tf.nn.softmax(y))(signs(x, w)),
            "ternary",
            "2 operators read the result of ADD",
        ),
        (
            lambda x, w: signs(x, w) * np.float32(3e38),
            "ternary",
            "its result would overflow float32",
        ),
        (
            lambda x, w: signs(x, w) * np.ones((2, 5, 6, 8), np.float32),
            "ternary",
            "the constant of MUL after it varies within a channel",
        ),
    ],
)
def test_refusals_say_why(function: Callable[..., KerasTensor], kind: str, reason: str) -> None:
    _, graph = lowered(to_float(function, SHAPE, filter_of(kind, (3, 3, 32, 8)) * 100))
    (multiply,) = (operator for operator in graph.operators if operator.op_type == "MUL")
    assert attempt(distribute_affine_over_sum, graph, multiply) == reason
