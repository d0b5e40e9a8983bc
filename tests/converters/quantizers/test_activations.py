"""Step functions found in graphs: every activation quantizer of Larq and many ways to write one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_bnn.converters.graph import TfliteModel
from mobile_bnn.converters.quantizers.activations import StepFunction, step_function
from mobile_bnn.legacy_keras import larq, tf

CHANNELS = 4
SHAPE = (1, 3, 3, CHANNELS)


def find(function: Callable[[Any], Any]) -> StepFunction | str:
    """What is found in front of a convolution, in the file that TFLite's converter makes of a function."""
    weights = tf.constant(np.random.default_rng(0).normal(size=(3, 3, CHANNELS, 2)), tf.float32)
    concrete = tf.function(lambda x: tf.nn.conv2d(function(x), weights, 1, "VALID")).get_concrete_function(
        tf.TensorSpec(SHAPE)
    )
    flatbuffer = bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())
    (graph,) = TfliteModel.read(flatbuffer).graphs
    convolution = next(operator for operator in graph.operators if operator.kind == "CONV_2D")
    assert convolution.inputs[0] is not None
    return step_function(graph, convolution.inputs[0])


def neighbours(values: np.ndarray) -> np.ndarray:
    """Floats, and those next to them."""
    down, up = (np.nextafter(values, np.float32(end), dtype=np.float32) for end in (-np.inf, np.inf))
    return np.concatenate([down, values, up])


def check(function: Callable[[Any], Any], steps: int) -> StepFunction:
    """The steps are as many as expected, and the function equals TensorFlow's on both sides of each of them."""
    found = find(function)
    assert isinstance(found, StepFunction), found
    assert found.steps == steps
    thresholds = found.thresholds[np.isfinite(found.thresholds).all(1)]
    random = np.random.default_rng(0).normal(size=(200, CHANNELS)).astype(np.float32)
    x = np.concatenate([random, neighbours(thresholds), neighbours(np.zeros((1, CHANNELS), np.float32))])
    x[np.abs(x) < np.finfo(np.float32).tiny] = 0  # TensorFlow takes subnormal numbers for zero
    if _reads_input(found):
        expected = np.asarray(tf.cast(function(tf.constant(x.reshape(-1, 1, 1, CHANNELS))), tf.float32))
        expected = expected.reshape(x.shape)
        values = found(x)
        # A factor or a summand may have been folded into the convolution: then levels differ by it.
        factor = np.ptp(expected) / np.ptp(values)
        np.testing.assert_allclose((values - values.min()) * factor + expected.min(), expected, rtol=2e-7, atol=1e-7)
    return found


def _reads_input(found: StepFunction) -> bool:
    return found.cone.source.name == "x"


def dorefa(bits: int) -> Callable[[Any], Any]:
    return lambda x: larq.quantizers.DoReFa(bits, mode="activations")(x)


def pact(bits: int, alpha: float) -> Callable[[Any], Any]:
    levels = 2**bits - 1
    return lambda x: tf.round(tf.clip_by_value(x, 0.0, alpha) * (levels / alpha)) * (alpha / levels)


def hwgq(x: Any) -> Any:
    step = 0.538
    return tf.clip_by_value(tf.math.ceil(x / step - 0.5), 0.0, 3.0) * step


SHIFT = np.float32([0.5, -1.25, 1e-20, 3e7])


@pytest.mark.parametrize(
    ("function", "steps"),
    [
        (larq.quantizers.SteSign(), 1),
        (larq.quantizers.ApproxSign(), 1),
        (larq.quantizers.SwishSign(), 1),
        (larq.quantizers.SteHeaviside(), 1),
        (larq.quantizers.SteTern(), 2),
        *((dorefa(bits), 2**bits - 1) for bits in range(1, 5)),
        *((pact(bits, 2.7), 2**bits - 1) for bits in range(1, 5)),
        (hwgq, 3),
        (tf.sign, 2),  # 0 at 0: a ternary
        (lambda x: tf.where(x < 0.3, -1.0, 1.0), 1),
        (lambda x: tf.where(x <= 0.3, -1.0, 1.0), 1),
        (lambda x: tf.where(x > 0.3, -1.0, 1.0), 1),
        (lambda x: tf.where(x >= 0.3, 5.0, -2.0), 1),
        (lambda x: 2 * tf.cast(x >= 0, tf.float32) - 1, 1),
        (lambda x: larq.math.sign(x + SHIFT), 1),  # RSign
        (lambda x: larq.math.sign(x * np.float32([1, -1, 2, -3]) - SHIFT), 1),
        (lambda x: larq.math.sign(larq.math.sign(x - 0.2)), 1),
        (lambda x: tf.where(x < 0.3, -1.0, 1.0) + tf.where(x < -0.4, -1.0, 1.0), 2),
        (lambda x: tf.minimum(tf.nn.relu(tf.floor(x)), 3.0), 3),
        (lambda x: tf.where(tf.abs(x) < 1, 1.0, -1.0), 1),  # of |x|, which is no function of few values
    ],
)
def test_quantizers(function: Callable[[Any], Any], steps: int) -> None:
    check(function, steps)


@settings(deadline=None, max_examples=15)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.booleans(), st.booleans())
def test_any_threshold_is_found_to_the_last_float(threshold: float, strict: bool, falls: bool) -> None:
    first, second = (1.0, -1.0) if falls else (-1.0, 1.0)
    limit = np.float32(threshold)
    found = find(lambda x: tf.where(x < limit if strict else x <= limit, first, second))
    if not strict and limit == np.finfo(np.float32).max:
        assert isinstance(found, StepFunction)
        assert found.steps == 0
        return
    assert isinstance(found, StepFunction)
    expected = limit if strict else np.nextafter(limit, np.float32(np.inf), dtype=np.float32)
    np.testing.assert_array_equal(found.thresholds, np.full((1, CHANNELS), expected))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (tf.tanh, "not known to be monotone"),
        (tf.abs, "not known to be monotone"),
        (tf.round, "takes more than 16 values"),
        (tf.nn.relu, "takes more than 16 values"),
        (lambda x: x / x, "not known to be monotone"),
        (lambda x: tf.math.sqrt(tf.sign(x)), "no element-wise function"),
        (lambda x: tf.reverse(x, [1]), "no element-wise function"),
    ],
)
def test_what_only_looks_like_a_quantizer(function: Callable[[Any], Any], reason: str) -> None:
    found = find(function)
    assert isinstance(found, str), found.levels
    assert reason in found
