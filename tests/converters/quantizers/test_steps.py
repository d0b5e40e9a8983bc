"""Step functions found in graphs: every activation quantizer of Larq and many ways to write one."""

import re

import numpy as np
import pytest
from float_files import to_float
from hypothesis import given, settings
from hypothesis import strategies as st
from litert_runs import run

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.quantizers.steps import StepFunction, step_function
from mobile_bnn.converters.refusals import NoMatch
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasTensor

CHANNELS = 4
SHAPE = (1, 3, 3, CHANNELS)


def find(function: KerasFunction) -> StepFunction:
    """What is found before a convolution, in the file that TFLite's converter makes of a function."""
    return find_in(graph_of(function))


def graph_of(function: KerasFunction) -> Graph:
    weights = tf.constant(np.random.default_rng(0).normal(size=(3, 3, CHANNELS, 2)), tf.float32)
    flatbuffer = to_float(lambda x: tf.nn.conv2d(tf.cast(function(x), tf.float32), weights, 1, "VALID"), SHAPE)
    (graph,) = TfliteModel.read(flatbuffer).graphs
    return graph


def find_in(graph: Graph) -> StepFunction:
    convolution = next(operator for operator in graph.operators if operator.op_type == "CONV_2D")
    assert convolution.inputs[0] is not None
    return step_function(graph, convolution.inputs[0])


def source_values(graph: Graph, source: Tensor, x: np.ndarray) -> np.ndarray:
    """What LiteRT computes of the tensor that a step function was found to be one of."""
    if source is graph.inputs[0]:
        return x
    above = Graph("above", graph.inputs, [source], graph.operators)
    above.remove_dead()
    return run(TfliteModel.of(above).write(), x.reshape(-1, 1, 1, CHANNELS)).reshape(x.shape)


def neighbours(values: np.ndarray) -> np.ndarray:
    """Floats, and those next to them."""
    down, up = (np.nextafter(values, np.float32(end), dtype=np.float32) for end in (-np.inf, np.inf))
    return np.concatenate([down, values, up])


def check(function: KerasFunction, steps: int) -> None:
    """The steps are as many as expected, and the function equals TensorFlow's on both sides of each of them."""
    graph = graph_of(function)
    found = find_in(graph)
    assert isinstance(found, StepFunction), found
    assert found.steps == steps
    thresholds = found.thresholds[np.isfinite(found.thresholds).all(1)]
    random = np.random.default_rng(0).normal(size=(200, CHANNELS)).astype(np.float32)
    x = np.concatenate([random, neighbours(thresholds), neighbours(np.zeros((1, CHANNELS), np.float32))])
    x[np.abs(x) < np.finfo(np.float32).tiny] = 0  # TensorFlow takes subnormal numbers for zero
    expected = np.asarray(tf.cast(function(tf.constant(x.reshape(-1, 1, 1, CHANNELS))), tf.float32))
    expected = expected.reshape(x.shape)
    values = found(source_values(graph, found.subgraph.source, x))
    # A factor or a summand may have been folded into the convolution: then levels differ by it.
    factor = np.ptp(expected) / np.ptp(values)
    np.testing.assert_allclose((values - values.min()) * factor + expected.min(), expected, rtol=2e-7, atol=1e-7)


def dorefa(bits: int) -> KerasFunction:
    return lambda x: larq.quantizers.DoReFa(bits, mode="activations")(x)


def pact(bits: int, alpha: float) -> KerasFunction:
    levels = 2**bits - 1
    return lambda x: tf.round(tf.clip_by_value(x, 0.0, alpha) * (levels / alpha)) * (alpha / levels)


def hwgq(x: KerasTensor) -> KerasTensor:
    step = 0.538
    return tf.clip_by_value(tf.math.ceil(x / step - 0.5), 0.0, 3.0) * step


def symmetric(bits: int) -> KerasFunction:
    """An even grid from -1 to 1, as LSQ has it for signed activations."""
    last = 2 ** (bits - 1)
    return lambda x: tf.clip_by_value(tf.round(x * last), -last, last - 1.0) / last


def ternary(threshold: float) -> KerasFunction:
    return lambda x: tf.where(x > threshold, 1.0, tf.where(x < -threshold, -1.0, 0.0))


SHIFT = np.float32([0.5, -1.25, 1e-20, 3e7])
LARQ = larq.quantizers
sign = larq.math.sign


@pytest.mark.parametrize(
    ("function", "steps"),
    [
        (LARQ.SteSign(), 1),
        (LARQ.SteSign(clip_value=None), 1),
        (LARQ.ApproxSign(), 1),
        (LARQ.SwishSign(), 1),
        (LARQ.SwishSign(beta=1.0), 1),
        (LARQ.SteHeaviside(), 1),
        (LARQ.SteTern(), 2),
        (LARQ.SteTern(threshold_value=0.7), 2),
        *((dorefa(bits), 2**bits - 1) for bits in range(1, 5)),
        *((pact(bits, alpha), 2**bits - 1) for bits in range(1, 5) for alpha in (2.7, 10.0)),
        *((symmetric(bits), 2**bits - 1) for bits in range(1, 5)),
        (hwgq, 3),
        (ternary(0.05), 2),
        (ternary(1.5), 2),
        (larq.math.heaviside, 1),
        (tf.sign, 2),  # 0 at 0: a ternary
        *((lambda x, falls=falls: tf.where(x < 0.3, falls, -falls), 1) for falls in (-1.0, 1.0)),
        *((lambda x, falls=falls: tf.where(x <= 0.3, falls, -falls), 1) for falls in (-1.0, 1.0)),
        *((lambda x, falls=falls: tf.where(x > 0.3, falls, -falls), 1) for falls in (-1.0, 1.0)),
        *((lambda x, falls=falls: tf.where(x >= 0.3, falls, -falls), 1) for falls in (-1.0, 1.0)),
        (lambda x: tf.where(x >= 0.3, 1.0, -1.0), 1),
        (lambda x: tf.where(tf.logical_not(x < 0.3), 1.0, -1.0), 1),
        (lambda x: tf.where(tf.logical_or(x > 0.3, x > 0.5), 1.0, -1.0), 1),
        (lambda x: tf.where(tf.logical_and(x > 0.3, x > 0.5), 1.0, -1.0), 1),
        (lambda x: tf.where(x >= 0.3, 5.0, -2.0), 1),
        (lambda x: tf.where(x >= SHIFT, 1.0, -1.0), 1),
        (lambda x: tf.cast(x > 0, tf.float32), 1),
        (lambda x: 2 * tf.cast(x >= 0, tf.float32) - 1, 1),
        (lambda x: tf.cast(tf.clip_by_value(x, 0.0, 3.0), tf.int32), 3),  # towards zero
        (lambda x: sign(x + SHIFT), 1),  # RSign
        (lambda x: sign(x * np.float32([1, -1, 2, -3]) - SHIFT), 1),  # after a batch norm
        (lambda x: sign(tf.nn.leaky_relu(x, 0.1) - 0.5), 1),
        (lambda x: sign(tf.clip_by_value(x, -1.0, 1.0)), 1),  # after a hard tanh
        # Composed ones.
        (lambda x: sign(sign(x - 0.2)), 1),
        (lambda x: dorefa(1)(dorefa(2)(x)), 1),
        (lambda x: sign(ternary(0.5)(x) + 0.5), 1),
        (lambda x: tf.where(x < 0.3, -1.0, 1.0) + tf.where(x < -0.4, -1.0, 1.0), 2),
        (lambda x: sign(x) + sign(x - 1) + 0.5 * sign(x + 1), 3),
        (lambda x: tf.maximum(sign(x), 2 * sign(x - 1)), 2),
        (lambda x: tf.minimum(tf.nn.relu(tf.floor(x)), 3.0), 3),
        (lambda x: tf.where(tf.abs(x) < 1, 1.0, -1.0), 1),  # of |x|, which is no function of few values
    ],
)
def test_quantizers(function: KerasFunction, steps: int) -> None:
    check(function, steps)


def test_one_quantizer_for_two_convolutions() -> None:
    """The operators of a shared quantizer belong to what is found before each of its readers."""
    weights = tf.constant(np.random.default_rng(0).normal(size=(3, 3, CHANNELS, 2)), tf.float32)

    def function(x: KerasTensor) -> KerasTensor:
        shared = LARQ.SteTern()(x)
        return tf.nn.conv2d(shared, weights, 1, "VALID"), tf.nn.conv2d(sign(shared + 0.5), weights, 1, "VALID")

    (graph,) = TfliteModel.read(to_float(function, SHAPE)).graphs
    inputs = [operator.inputs[0] for operator in graph.operators if operator.op_type == "CONV_2D"]
    found = [step_function(graph, tensor) for tensor in inputs if tensor is not None]
    assert sorted(each.steps for each in found if isinstance(each, StepFunction)) == [1, 2]
    assert len({id(each.subgraph.source) for each in found if isinstance(each, StepFunction)}) == 1


def test_thresholds_of_a_vector_without_a_batch() -> None:
    limits = np.linspace(-0.5, 0.5, CHANNELS, dtype=np.float32)
    (graph,) = TfliteModel.read(to_float(lambda x: tf.where(x >= limits, 1.0, -1.0), (CHANNELS,))).graphs
    np.testing.assert_array_equal(step_function(graph, graph.outputs[0]).thresholds, limits[None])


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
        (LARQ.NoOp(precision=1), "no element-wise function of one tensor ends here"),
        (LARQ.MagnitudeAwareSign(), "no element-wise function of one tensor ends here"),  # its scale is a mean of x
        (LARQ.SteTern(ternary_weight_networks=True), "no element-wise function of one tensor ends here"),
        (LARQ.DoReFa(2, mode="weights"), "takes more than 16 values"),  # of x over its greatest value
        (tf.tanh, "not known to be monotone (TANH)"),
        (tf.sigmoid, "not known to be monotone (LOGISTIC)"),
        (lambda x: tf.tanh(20 * x), "not known to be monotone"),  # almost a sign
        (lambda x: tf.round(tf.tanh(x)), "not known to be monotone (TANH, ROUND)"),
        (tf.abs, "not known to be monotone (ABS)"),
        (lambda x: x * tf.where(x > 0, 1.0, -1.0), "not known to be monotone (GREATER, SELECT_V2, MUL)"),
        (lambda x: tf.where(x > 0, x, 1.0), "not known to be monotone (GREATER, SELECT_V2)"),
        (lambda x: sign(x) * sign(x - 1), "not known to be monotone"),
        (lambda x: sign(x) - sign(x - 1), "not known to be monotone"),
        (lambda x: x / x, "not known to be monotone"),
        (tf.round, "takes more than 16 values"),
        (tf.floor, "takes more than 16 values"),
        (dorefa(5), "takes more than 16 values"),
        (tf.nn.relu, "takes more than 16 values"),
        (tf.nn.relu6, "takes more than 16 values"),
        (lambda x: x + sign(x), "takes more than 16 values"),
        (lambda x: tf.floor(tf.nn.leaky_relu(x, 10.0)), "unbounded, or not a number somewhere"),
        (lambda x: sign(x) / tf.nn.relu(sign(x)), "not known to be monotone"),
        (lambda x: tf.math.sqrt(tf.sign(x)), "no element-wise function"),
        (lambda x: tf.reverse(x, [1]), "no element-wise function"),
        (lambda x: sign(x) + sign(tf.reverse(x, [1])), "no element-wise function"),
    ],
)
def test_what_only_looks_like_a_quantizer(function: KerasFunction, reason: str) -> None:
    with pytest.raises(NoMatch, match=re.escape(reason)):
        find(function)
