"""RELUs move into binary convolutions where LCE's clamp of the integer sum is the same."""

from collections.abc import Callable

import numpy as np
import pytest

from mobile_bnn.converters.rules.fuse import fuse_activation, fuse_affine
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import check, convolve, only, sign

SHAPE = (1, 5, 5, 32)
C = np.random.default_rng(3).normal(size=8).astype(np.float32)
SIGNS = np.float32([1, -1, 1, 1, -1, -1, 1, -1])
WEIGHTS = filter_of("sign", (3, 3, 32, 8))


def after(function: KerasFunction, padding: str = "one") -> Callable[..., KerasTensor]:
    return lambda x, weights: function(convolve(sign(x), weights, padding))


def clip(y: KerasTensor) -> KerasTensor:
    return tf.clip_by_value(y, -1.0, 1.0)


@pytest.mark.parametrize(
    "function",
    [
        tf.nn.relu,
        lambda y: tf.nn.relu(y * C),
        lambda y: tf.nn.relu(y * C) * C + C,  # the batch norm after it follows
        lambda y: tf.nn.relu6(y * SIGNS),
        tf.nn.relu6,
        lambda y: clip(y * SIGNS),
    ],
)
@pytest.mark.parametrize("padding", ["one", "valid"])
def test_one_operator_is_left(function: KerasFunction, padding: str) -> None:
    none = dict.fromkeys(("RELU", "RELU6", "RELU_N1_TO_1", "MAXIMUM", "MINIMUM", "MUL", "ADD"), 0)
    check(after(function, padding), SHAPE, {"LceBconv2d": 1, **none}, WEIGHTS)


def test_small_clamped_sums_are_scaled_outside() -> None:
    graph = check(after(lambda y: tf.nn.relu6(y) * C), SHAPE, {"LceBconv2d": 1, "RELU6": 0, "MUL": 1}, WEIGHTS)
    reason = attempt(fuse_affine, graph, only(graph, "LceBconv2d"))
    assert reason == "its clamped sums are small beside the terms that a multiplier would be rounded with"


@pytest.mark.parametrize(
    ("function", "padding", "reason"),
    [
        (lambda y: tf.nn.relu(y + C), "one", "RELU follows a bias, LCE's activation precedes it"),
        (lambda y: tf.nn.relu6(y * C), "one", "the limits of RELU6 follow a multiplier, LCE's precede it"),
        (tf.nn.relu, "zero", "LCE's kernels have no activation where the padding is 0"),
        (lambda y: tf.nn.relu6(tf.nn.relu(y) - 2), "one", "it has an activation already"),
        (tf.nn.softmax, "one", "SOFTMAX after it is not a RELU"),
        (lambda y: tf.nn.relu(y) * y, "one", "2 operators read the result of LceBconv2d"),
    ],
)
def test_refusals_say_why(function: KerasFunction, padding: str, reason: str) -> None:
    graph = check(after(function, padding), SHAPE, {"LceBconv2d": 1}, WEIGHTS)
    assert attempt(fuse_activation, graph, only(graph, "LceBconv2d")) == reason
