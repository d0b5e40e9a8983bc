"""Straight-through estimators that stayed in a graph: the quantizer alone computes the same, up to rounding."""

import numpy as np
import pytest
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.canonicalize import remove_ste
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.linear_rules import applied, kinds_of

SHAPE = (1, 4, 5, 6)
sign = larq.math.sign


def polynomial(x: KerasTensor) -> KerasTensor:
    """The gradient of Bi-Real Net as ReActNet's code has it, its sums first."""
    return tf.where(x < 0, x * x + 2 * x, 2 * x - x * x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + tf.stop_gradient(sign(x) - x),
        lambda x: (sign(x) - tf.clip_by_value(x, -1.0, 1.0)) + tf.clip_by_value(x, -1.0, 1.0),
        lambda x: (tf.sign(x) - polynomial(x)) + polynomial(x),
        lambda x: x + (larq.quantizers.DoReFa(2)(x) - x),
        lambda x: x + (sign(x) * sign(x - 0.5) - x),
    ],
)
def test_the_quantizer_is_left(function: KerasFunction) -> None:
    before = to_float(function, SHAPE)
    after, reason = applied(remove_ste, "ADD", before)
    assert reason is None
    assert kinds_of(before).count("ADD") > kinds_of(after).count("ADD")
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    x.flat[:4] = [0, -0.0, 1, -1]
    np.testing.assert_allclose(run(after, x), run(before, x), atol=1e-6)
    assert len(np.unique(run(after, x))) <= 4


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (
            lambda x: x + (tf.tanh(x) - x),
            "what it lets gradients pass is not quantized: it is not known to be monotone",
        ),
        (lambda x: x + (sign(x) - 2 * x), "it does not add a difference to what was subtracted"),
        (lambda x: x + (x - sign(x)), "it does not add a difference to what was subtracted"),
        (lambda x: x + tf.nn.relu(sign(x) - x), "an activation is in the middle of it"),
        (lambda x: tf.nn.relu(x + (sign(x) - x)), "it is followed by an activation"),
        (lambda x: x + (sign(x[:, :1]) - x), "the quantizer has another shape than the sum"),
    ],
)
def test_refusals_say_why(function: KerasFunction, reason: str) -> None:
    before = to_float(function, SHAPE)
    after, answer = applied(remove_ste, "ADD", before)
    assert answer is not None
    assert reason in answer
    assert TfliteModel.read(before).write() == after
