"""PACT's clip, written with magnitudes: a MINIMUM and a RELU compute the same, up to rounding."""

import numpy as np
import pytest
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.rules.canonicalize import recompose_clip
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.linear_rules import applied, kinds_of

SHAPE = (1, 4, 5, 6)
BOUNDS = np.linspace(0.5, 3, 6, dtype=np.float32)


def pact(x: KerasTensor, a: float | np.ndarray = 1.5, added: float | np.ndarray | None = None) -> KerasTensor:
    return tf.abs(x) - tf.abs(x - a) + (a if added is None else added)


@pytest.mark.parametrize(
    ("function", "bound"),
    [
        (lambda x: 0.5 * pact(x), 1.5),
        (lambda x: 0.5 * pact(x, BOUNDS), BOUNDS),
        (lambda x: (1.5 + (tf.abs(x) - tf.abs(1.5 - x))) * 0.5, 1.5),
        (lambda x: (tf.abs(x) - tf.abs(-1.5 + x) + 1.5) * 0.5, 1.5),
    ],
)
def test_the_clip_is_left(function: KerasFunction, bound: float | np.ndarray) -> None:
    before = to_float(function, SHAPE)
    after, reason = applied(recompose_clip, "ADD", before)
    assert reason is None
    assert "ABS" not in kinds_of(after)
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32) * 3
    x.flat[:6] = [0, -0.0, 1.5, -1.5, 100, -100]
    np.testing.assert_allclose(run(after, x), np.clip(x, 0, bound), rtol=1e-7)
    np.testing.assert_allclose(run(before, x), np.clip(x, 0, bound), atol=1e-5)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: pact(x, 1.5, 1.25), "the difference is not that of |x| and |x - a| for the a that is added"),
        (lambda x: pact(x, BOUNDS, 1.5), "the difference is not that of |x| and |x - a| for the a that is added"),
        (lambda x: pact(x, -1.5), "the bound of the clip is not positive"),
        (lambda x: tf.abs(x) - tf.nn.relu(x - 1.5) + 1.5, "the difference is not one of magnitudes"),
        (lambda x: tf.abs(x) * tf.abs(x - 1.5) + 1.5, "it does not add a constant to a difference"),
        (lambda x: x + tf.abs(x), "it adds no constant"),
        (lambda x: tf.nn.relu(tf.abs(x) - tf.abs(x - 1.5) + 1.5), "it is followed by an activation"),
        (lambda x: pact(x[:, :1], np.ones((1, 4, 5, 6), np.float32)), "the clip has another shape than what it clips"),
    ],
)
def test_refusals_say_why(function: KerasFunction, reason: str) -> None:
    before = to_float(function, SHAPE)
    after, answer = applied(recompose_clip, "ADD", before)
    assert answer == reason
    assert kinds_of(after) == kinds_of(before)
