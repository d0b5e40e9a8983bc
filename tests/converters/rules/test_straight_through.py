"""Straight-through estimators that stayed in a graph: the quantizer alone computes the same, up to rounding."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from litert_runs import run

from mobile_bnn.converters.graph import TfliteModel
from mobile_bnn.converters.rules import straight_through
from mobile_bnn.legacy_keras import larq, tf

SHAPE = (1, 4, 5, 6)
sign = larq.math.sign


def rewritten(function: Callable[[Any], Any]) -> tuple[bytes, bytes, str | None]:
    """The file before and after, and what the rule said of the last ADD."""
    concrete = tf.function(function).get_concrete_function(tf.TensorSpec(SHAPE))
    flatbuffer = bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())
    model = TfliteModel.read(flatbuffer)
    (graph,) = model.graphs
    total = [operator for operator in graph.operators if operator.kind == "ADD"][-1]
    reason = straight_through.apply(graph, total)
    graph.remove_dead()
    return flatbuffer, model.write(), reason


def polynomial(x: Any) -> Any:
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
def test_the_quantizer_is_left(function: Callable[[Any], Any]) -> None:
    before, after, reason = rewritten(function)
    assert reason is None
    kinds = [[operator.kind for operator in TfliteModel.read(file).graphs[0].operators] for file in (before, after)]
    assert kinds[0].count("ADD") > kinds[1].count("ADD")
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
        (lambda x: x + (sign(x) - 2 * x), "it adds nothing that was subtracted before"),
        (lambda x: x + (x - sign(x)), "it adds nothing that was subtracted before"),
        (lambda x: x + tf.nn.relu(sign(x) - x), "an activation is in the middle of it"),
        (lambda x: tf.nn.relu(x + (sign(x) - x)), "it is followed by an activation"),
        (lambda x: x + (sign(x[:, :1]) - x), "it is of another shape"),
    ],
)
def test_refusals_say_why(function: Callable[[Any], Any], reason: str) -> None:
    before, after, answer = rewritten(function)
    assert answer is not None
    assert reason in answer
    assert TfliteModel.read(before).write() == after
