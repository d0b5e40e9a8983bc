"""Affine maps after binary convolutions move into them, and nothing else does."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.rules.fuse import fuse_affine
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import check, convolve, lowered, only, sign, to_float

SHAPE = (1, 5, 5, 32)
C = np.random.default_rng(3).normal(size=8).astype(np.float32)
WEIGHTS = filter_of("scaled", (3, 3, 32, 8))


def after(function: KerasFunction, padding: str = "one") -> Callable[..., KerasTensor]:
    return lambda x, weights: function(convolve(sign(x), weights, padding))


MAPS: dict[str, KerasFunction] = {
    "mul": lambda y: y * C,
    "mul scalar": lambda y: -0.3 * y,
    "mul 4-D": lambda y: y * C.reshape(1, 1, 1, 8),
    "add": lambda y: y + C,
    "sub": lambda y: y - C,
    "from": lambda y: C - y,
    "div": lambda y: y / (C + 3),
    "zero": lambda y: y * np.float32([0, 1, -1, 0, 2, -0.0, 1e-30, 3]),
}


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(sorted(MAPS)), min_size=1, max_size=4), st.sampled_from(["one", "zero", "valid"]))
def test_rows_of_maps_disappear(names: list[str], padding: str) -> None:
    def function(y: KerasTensor) -> KerasTensor:
        for name in names:
            y = MAPS[name](y)
        return y

    none = dict.fromkeys(("MUL", "ADD", "SUB", "DIV"), 0)
    check(after(function, padding), SHAPE, {"LceBconv2d": 1, **none}, WEIGHTS)


def test_rounded_once() -> None:
    third = np.float32(1) / np.float32(3)
    weights = filter_of("sign", (3, 3, 32, 8))
    _, graph = lowered(to_float(after(lambda y: (y * third + C) * np.float32(0.1)), SHAPE, weights))
    _, _, multiplier, bias, _ = only(graph, "LceBconv2d").inputs
    tenth = np.float64(np.float32(0.1))
    np.testing.assert_array_equal(multiplier.values, np.full(8, np.float64(third) * tenth, np.float32))
    np.testing.assert_array_equal(bias.values, (C.astype(np.float64) * tenth).astype(np.float32))


def test_a_fused_activation_stays_as_an_operator() -> None:
    check(
        after(lambda y: tf.nn.relu6(y * C + C) * C), SHAPE, {"LceBconv2d": 1, "RELU6": 1, "ADD": 0, "MUL": 1}, WEIGHTS
    )


def test_what_others_read_stays() -> None:
    check(after(lambda y: y * C + tf.nn.softmax(y)), SHAPE, {"LceBconv2d": 1, "MUL": 1, "ADD": 1}, WEIGHTS)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda y: y, "the result of LceBconv2d is an output of the graph"),
        (lambda y: tf.nn.softmax(y), "SOFTMAX after it is not an affine map"),
        (lambda y: tf.abs(y) + y, "2 operators read the result of LceBconv2d"),
        (lambda y: y * y, "MUL after it has no constant operand"),
        (
            lambda y: y * np.arange(5, dtype=np.float32).reshape(1, 5, 1, 1),
            "the constant of MUL after it varies within a channel",
        ),
        (lambda y: y + np.ones((2, 5, 5, 8), np.float32), "the constant of ADD after it varies within a channel"),
        (lambda y: 1 / y, "DIV after it divides by its result"),
        (lambda y: y * np.float32(3e38), "the result of MUL after it would overflow float32"),
    ],
)
def test_refusals_say_why(function: KerasFunction, reason: str) -> None:
    _, graph = lowered(to_float(after(function), SHAPE, WEIGHTS))
    assert attempt(fuse_affine, graph, only(graph, "LceBconv2d")) == reason
