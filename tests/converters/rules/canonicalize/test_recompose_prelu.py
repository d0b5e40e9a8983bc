"""PRELU as PyTorch's exporter writes it out: the operator in its place keeps every bit."""

import numpy as np
import pytest
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.canonicalize import recompose_prelu
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.attempt import attempt
from tests.converters.rules.linear_rules import applied, kinds_of

SHAPE = (1, 4, 5, 6)
SLOPES = np.float32([0.25, 1, 0, -0.5, 3, 1e-30])


def written_out(slopes: KerasTensor, factor: float = -1.0) -> KerasFunction:
    return lambda x: tf.nn.relu(x) - tf.nn.relu(x * factor) * slopes


@pytest.mark.parametrize(
    ("slopes", "shape"),
    [
        (SLOPES, SHAPE),
        (SLOPES.reshape(1, 1, 1, 6), SHAPE),
        (np.float32(0.25), SHAPE),
        (SLOPES, (3, 6)),
        (np.float32([[[-2.0]]]), (2, 3, 6)),
    ],
)
def test_slopes(slopes: np.ndarray, shape: tuple[int, ...]) -> None:
    before = to_float(written_out(slopes), shape)
    after, reason = applied(recompose_prelu, "SUB", before)
    assert reason is None
    assert kinds_of(after) == ["PRELU"]
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    x.flat[:6] = [0, -0.0, 1e38, -1e38, 1e-37, -1e-37]
    np.testing.assert_array_equal(run(after, x), run(before, x))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tf.nn.relu(x) - 2 * x, "it is not the difference of a RELU and a slope of the same tensor"),
        (lambda x: tf.abs(x) - tf.nn.relu(x), "it is not the difference of a RELU and a slope"),
        (written_out(SLOPES, -2.0), "it is not the difference of a RELU and a slope of the same tensor"),
        (
            lambda x: tf.nn.relu(tf.abs(x)) - tf.nn.relu(x * -1.0) * SLOPES,
            "it is not the difference of a RELU and a slope of the same tensor",
        ),
        (lambda x: tf.nn.relu(written_out(SLOPES)(x)), "it is followed by an activation"),
        (written_out(np.arange(5, dtype=np.float32).reshape(5, 1)), "its slopes are not those of channels"),
        (written_out(np.ones((4, 1, 1), np.float32) * 2), "its slopes are not those of channels"),
    ],
)
def test_refusals_say_why(function: KerasFunction, reason: str) -> None:
    before = to_float(function, SHAPE)
    after, answer = applied(recompose_prelu, "SUB", before)
    assert answer == reason
    assert TfliteModel.read(before).write() == after


def test_slopes_of_rows_that_are_as_many_as_channels() -> None:
    before = to_float(written_out(np.arange(6, dtype=np.float32).reshape(6, 1, 1)), (1, 6, 5, 6))
    assert applied(recompose_prelu, "SUB", before)[1] == "its slopes are not those of channels"


def test_an_infinite_slope() -> None:
    (graph,) = TfliteModel.read(to_float(written_out(SLOPES), SHAPE)).graphs
    slopes = next(t for o in graph.operators for t in o.inputs if t and t.values is not None and t.values.size == 6)
    slopes.set_values(np.where(SLOPES == 3, np.float32(np.inf), SLOPES))
    reason = attempt(recompose_prelu, graph, graph.operators[-1])
    assert reason == "its slopes are not those of channels"
