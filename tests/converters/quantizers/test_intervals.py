"""Quantizers that treat the sign and the magnitude apart: found with the thresholds that NumPy has in float32."""

from collections.abc import Callable

import numpy as np
import pytest

from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.quantizers.bisection import LARGEST_RANK, floats_of, ranks_of
from mobile_bnn.converters.quantizers.monotonicity import monotonicity
from mobile_bnn.converters.quantizers.steps import StepFunction, step_function
from mobile_bnn.converters.refusals import NoMatch
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.quantizers.test_steps import CHANNELS, find_in, graph_of, neighbours, source_values

# Each twice: in TensorFlow, and by NumPy's float32 arithmetic, which rounds every operation as TFLite does.
f32 = np.float32
Numpy = Callable[[np.ndarray], np.ndarray]


def half_away(x: np.ndarray, most: float) -> np.ndarray:
    return np.sign(x) * np.floor(np.minimum(np.abs(x), f32(most)) + f32(0.5))


FUNCTIONS: dict[str, tuple[Callable[..., object], Numpy, int]] = {
    "rounds half away from zero": (
        lambda x: tf.sign(x) * tf.floor(tf.minimum(tf.abs(x), 2.0) + 0.5),
        lambda x: half_away(x, 2.0),
        4,
    ),
    "the same, its magnitude first": (
        lambda x: tf.floor(tf.minimum(tf.abs(x), 1.0) + 0.5) * tf.sign(x),
        lambda x: half_away(x, 1.0),
        2,
    ),
    "the same, clipped in the end": (
        lambda x: tf.clip_by_value(tf.sign(x) * tf.floor(tf.abs(x) + 0.5), -3.0, 3.0),
        lambda x: np.clip(np.sign(x) * np.floor(np.abs(x) + f32(0.5)), f32(-3), f32(3)),
        6,
    ),
    "a scaled grid": (
        lambda x: tf.sign(x) * tf.floor(tf.minimum(tf.abs(x) / 0.3, 2.0) + 0.5) * 0.3,
        lambda x: np.sign(x) * np.floor(np.minimum(np.abs(x) * (f32(1) / f32(0.3)), f32(2)) + f32(0.5)) * f32(0.3),
        4,
    ),
    "of a shifted argument": (
        lambda x: tf.sign(x - 0.7) * tf.round(tf.minimum(tf.abs(x - 0.7), 1.0)),
        lambda x: np.sign(x - f32(0.7)) * np.round(np.minimum(np.abs(x - f32(0.7)), f32(1))),
        2,
    ),
    "with a dead zone": (
        lambda x: tf.sign(x) * tf.cast(tf.abs(x) > 0.4, tf.float32),
        lambda x: np.sign(x) * (np.abs(x) > f32(0.4)).astype(f32),
        2,
    ),
    "with a dead zone to its edge": (
        lambda x: tf.sign(x) * tf.cast(tf.abs(x) >= 0.4, tf.float32),
        lambda x: np.sign(x) * (np.abs(x) >= f32(0.4)).astype(f32),
        2,
    ),
    "falling": (
        lambda x: -tf.sign(x) * tf.floor(tf.minimum(tf.abs(x), 1.0) + 0.5),
        lambda x: -half_away(x, 1.0),
        2,
    ),
    "of a falling argument": (
        lambda x: tf.sign(0.5 - 2.0 * x) * tf.math.ceil(tf.minimum(tf.abs(0.5 - 2.0 * x), 1.0) - 0.25),
        lambda x: (
            np.sign(f32(0.5) - f32(2) * x) * np.ceil(np.minimum(np.abs(f32(0.5) - f32(2) * x), f32(1)) - f32(0.25))
        ),
        2,
    ),
    "by a square": (
        lambda x: tf.sign(x) * tf.round(tf.minimum(tf.square(x), 1.0)),
        lambda x: np.sign(x) * np.round(np.minimum(x * x, f32(1))),
        2,
    ),
    "by branches": (
        lambda x: tf.where(x < 0.0, -tf.floor(tf.minimum(-x, 1.0) + 0.5), tf.floor(tf.minimum(x, 1.0) + 0.5)),
        lambda x: np.where(
            x < 0, -np.floor(np.minimum(-x, f32(1)) + f32(0.5)), np.floor(np.minimum(x, f32(1)) + f32(0.5))
        ),
        2,
    ),
    "by unlike halves": (
        lambda x: tf.where(x > 0.0, tf.floor(tf.minimum(x, 2.0)), tf.round(tf.maximum(x, -1.0))),
        lambda x: np.where(x > 0, np.floor(np.minimum(x, f32(2))), np.round(np.maximum(x, f32(-1)))),
        3,
    ),
    "nothing at 0": (
        lambda x: tf.sign(x) * (1.0 + tf.floor(tf.minimum(tf.abs(x), 1.0))),
        lambda x: np.sign(x) * (f32(1) + np.floor(np.minimum(np.abs(x), f32(1)))),
        4,
    ),
    "twice": (
        lambda x: tf.sign(tf.sign(x) * tf.floor(tf.abs(x) + 0.5) - 0.25),
        lambda x: np.sign(np.sign(x) * np.floor(np.abs(x) + f32(0.5)) - f32(0.25)),
        1,
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_steps_are_those_of_numpy(name: str) -> None:
    function, numpy, steps = FUNCTIONS[name]
    assert check_everywhere(graph_of(function), numpy).steps == steps


def check_everywhere(graph: Graph, numpy: Numpy) -> StepFunction:
    """At thresholds and their neighbours, around ties of every rounding, both zeros, the ends, and random numbers."""
    found = find_in(graph)
    ties = np.repeat(np.arange(-8, 9, dtype=np.float32)[:, None] / 4, CHANNELS, 1)
    thresholds = found.thresholds[np.isfinite(found.thresholds).all(1)]
    largest = np.full((1, CHANNELS), np.finfo(np.float32).max)
    random = np.random.default_rng(0).normal(size=(500, CHANNELS)) * 2
    parts = [neighbours(thresholds), neighbours(ties), 0 * largest, -0.0 * largest, largest, -largest, random]
    x = np.concatenate(parts).astype(np.float32)
    x[(np.abs(x) < np.finfo(np.float32).tiny) & (x != 0)] = 0  # runtimes may take subnormal numbers for zero
    assert (np.signbit(x) & (x == 0)).any()
    with np.errstate(over="ignore"):
        expected = numpy(x)
    values = found(source_values(graph, found.subgraph.source, x))
    factor = np.ptp(expected) / np.ptp(values)  # which may be folded into the convolution
    np.testing.assert_allclose((values - values.min()) * factor + expected.min(), expected, rtol=2e-7, atol=2e-7)
    return found


def test_each_channel_has_thresholds_of_its_own() -> None:
    shift, scale = f32([0.5, -1.25, 1e-20, 30]), f32([1, 0.25, 3, 100])

    def numpy(x: np.ndarray) -> np.ndarray:
        moved = x * scale + shift
        return np.sign(moved) * np.floor(np.minimum(np.abs(moved), f32(1)) + f32(0.5))

    def function(x: KerasTensor) -> KerasTensor:
        return tf.sign(x * scale + shift) * tf.floor(tf.minimum(tf.abs(x * scale + shift), 1.0) + 0.5)

    assert check_everywhere(graph_of(function), numpy).steps == 2


@pytest.mark.parametrize(
    "function",
    [
        lambda x: tf.sign(x) * tf.floor(1.5 - tf.minimum(tf.abs(x), 1.0)),  # falls with the magnitude: 1 at 0.1, 0 at 1
        lambda x: tf.sign(x) * tf.minimum(tf.abs(x), 1.0),  # not in steps
        lambda x: x * tf.sigmoid(x),
        lambda x: x * tf.nn.relu6(x + 3.0) / 6.0,
        lambda x: tf.sign(x) * tf.floor(tf.abs(x) + 0.5),  # without end
    ],
)
def test_what_is_no_monotone_step_function_is_none(function: Callable[..., object]) -> None:
    graph: Graph = graph_of(function)
    with pytest.raises(NoMatch):
        step_function(graph, next(each for each in graph.operators if each.op_type == "CONV_2D").input(0))


def test_operator_by_operator_it_is_not_monotone() -> None:
    """Or these tests would not test what they say."""
    for name in ("rounds half away from zero", "with a dead zone", "by branches"):
        graph = graph_of(FUNCTIONS[name][0])
        found = find_in(graph).subgraph
        assert found.source is graph.inputs[0]
        assert monotonicity(found) is None


def test_ranks() -> None:
    numbers = f32([0, 1e-45, -1e-45, 1.5, -1.5, np.finfo(np.float32).max, -np.finfo(np.float32).max])
    np.testing.assert_array_equal(floats_of(ranks_of(numbers)), numbers)
    assert ranks_of(f32([-0.0, 1e-45, np.inf])).tolist() == [0, 1, LARGEST_RANK + 1]
