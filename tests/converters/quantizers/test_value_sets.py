"""Tensors that are proved to take few values, and convolutions of them, packed from their own output."""

import numpy as np
import pytest
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.quantizers.steps import StepFunction, own_steps, quantizer, step_function
from mobile_bnn.converters.refusals import NoMatch
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasTensor

SHAPE = (1, 6, 6, 32)
sign = larq.math.sign
dorefa = larq.quantizers.DoReFa


def turned(x: KerasTensor) -> KerasTensor:
    """Another tensor of the same shape, that no element-wise operator makes of x."""
    return tf.reverse(x, [2])


def graph_of(function: KerasFunction) -> Graph:
    (graph,) = TfliteModel.read(to_float(function, SHAPE)).graphs
    return graph


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: sign(x) * sign(x - 1), [-1, 1]),
        (lambda x: sign(x) * sign(turned(x)), [-1, 1]),
        (lambda x: sign(x) + sign(turned(x)), [-2, 0, 2]),
        (lambda x: tf.where(x == turned(x), 1.0, -1.0), [-1, 1]),
        (lambda x: tf.where(x != turned(x), 2.0, -3.0), [-3, 2]),
        (lambda x: tf.where(tf.logical_and(x > -1, x < 1), 1.0, -1.0), [-1, 1]),
        (lambda x: tf.where(tf.math.floormod(tf.floor(x), 2.0) < 1, 1.0, -1.0), [-1, 1]),  # a square wave
        (lambda x: tf.where(tf.math.is_nan(x), 1.0, -1.0), [-1, 1]),
        (lambda x: tf.where(x < 0, sign(turned(x)), 3.0), [-1, 1, 3]),
        (lambda x: 2 * tf.cast(x * x > 1, tf.float32) - 1, [-1, 1]),
        (lambda x: tf.cast(tf.cast(x > turned(x), tf.int32) * 2 - 1, tf.float32), [-1, 1]),
        (lambda x: tf.sign(x - turned(x)), [-1, 0, 1]),
        (lambda x: tf.nn.relu(tf.sign(x) * sign(turned(x))), [0, 1]),
        (lambda x: tf.abs(tf.sign(x) - 0.5) * sign(turned(x)), [-1.5, -0.5, 0.5, 1.5]),
        (lambda x: tf.maximum(sign(x) * 2, sign(turned(x))), [-1, 1, 2]),
        # What moves values keeps them, also those of a step function.
        (lambda x: tf.nn.max_pool2d(sign(x) * sign(turned(x)), 2, 2, "SAME"), [-1, 1]),
        (lambda x: tf.nn.max_pool2d(dorefa(2)(x), 3, 2, "SAME"), [0, 1, 2, 3]),
        (lambda x: tf.reshape(tf.transpose(sign(x), [0, 3, 1, 2]), SHAPE), [-1, 1]),
        (lambda x: tf.concat([sign(x), larq.quantizers.SteHeaviside()(x)], -1)[..., ::2], [-1, 0, 1]),
        (lambda x: tf.split(sign(x), 2, -1)[1], [-1, 1]),
        (lambda x: tf.pad(sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)]), [-1, 0, 1]),
        (lambda x: tf.pad(sign(x), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=0.5), [-1, 0.5, 1]),
        (lambda x: tf.tile(tf.gather(sign(x), [0, 3, 5], axis=1), [1, 1, 2, 1]), [-1, 1]),
        (lambda x: tf.reduce_max(sign(x), -1, keepdims=True), [-1, 1]),
        (lambda x: tf.nn.space_to_depth(sign(turned(sign(x))), 2), [-1, 1]),
    ],
)
def test_sets_of_values(function: KerasFunction, expected: list[float]) -> None:
    graph = graph_of(function)
    (output,) = graph.outputs
    found = own_steps(graph, output)
    assert found is not None
    values = np.unique(found.levels)
    # The converter may leave a factor to what comes after, which is not here.
    np.testing.assert_allclose(values * (np.max(expected) / values.max()), expected, rtol=1e-6)
    np.testing.assert_array_equal(found(found.levels), found.levels)  # the identity, of the values there are
    assert found.subgraph.source is output


def test_the_whole_line_between_two_neighbours() -> None:
    """Where the middle of two floats rounds to the lower one, the step is at the upper one."""
    low = np.float32(1)
    high = np.nextafter(low, np.float32(2), dtype=np.float32)
    graph = graph_of(lambda x: tf.where(x == turned(x), low, high))
    found = own_steps(graph, graph.outputs[0])
    assert found is not None
    np.testing.assert_array_equal(found.thresholds, np.full((1, 32), high))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: tf.tanh(x) * sign(turned(x)),
        lambda x: tf.tanh(sign(x) + sign(turned(x))),  # another runtime's tanh may differ in the last bit
        lambda x: x * tf.where(x == turned(x), 1.0, -1.0),
        lambda x: tf.where(x == turned(x), x, 1.0),
        lambda x: tf.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]),
        lambda x: tf.concat([sign(x), x], -1),
        lambda x: tf.nn.avg_pool2d(sign(x), 2, 2, "SAME"),
        lambda x: tf.sqrt(sign(x) * sign(turned(x))),  # not a number of -1
        lambda x: tf.sign(x) / tf.sign(turned(x)),  # 0 / 0
        lambda x: tf.round(x * turned(x)),
        lambda x: sum(2.0**bit * sign(tf.roll(x, bit, 1) - bit) for bit in range(5)),  # 32 values
        lambda x: tf.cumsum(sign(x), 1),
        turned,
    ],
)
def test_what_is_not_proved(function: KerasFunction) -> None:
    graph = graph_of(function)
    assert own_steps(graph, graph.outputs[0]) is None
    with pytest.raises(NoMatch):
        quantizer(graph, graph.outputs[0])


def test_a_step_function_is_found_first() -> None:
    graph = graph_of(sign)
    found = quantizer(graph, graph.outputs[0])
    assert isinstance(found, StepFunction)
    assert found.subgraph.source is graph.inputs[0]
    assert own_steps(graph, graph.outputs[0]) is not None


@pytest.mark.parametrize(
    "function",
    [
        lambda x: sign(x) * sign(x - 1),
        lambda x: sign(x) * sign(turned(x)),
        lambda x: tf.where(x == turned(x), 1.0, -1.0),
        lambda x: tf.where(x == turned(x), 5.0, -2.0),
        lambda x: tf.where(tf.abs(x) < 1, 1.0, -1.0),
        lambda x: tf.where(tf.logical_and(x > -1, x < 1), -1.0, 1.0),
        lambda x: tf.where(tf.math.is_nan(x), -1.0, 1.0),
        lambda x: tf.nn.max_pool2d(sign(x) * sign(turned(x)), 2, 1, "SAME"),
        lambda x: tf.transpose(tf.transpose(sign(x), [0, 3, 1, 2])[:, ::-1], [0, 2, 3, 1]),
    ],
)
def test_convolutions_of_them_are_binary(function: KerasFunction) -> None:
    weights = tf.constant(np.random.default_rng(0).choice([-1.0, 1.0], (3, 3, 32, 8)), tf.float32)
    flatbuffer = to_float(lambda x: tf.nn.conv2d(function(x), weights, 1, "SAME"), SHAPE)
    model = TfliteModel.read(flatbuffer)
    (layer,) = lower(model.graphs[0]).layers
    assert layer.declared
    assert layer.binary
    x = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    x[0, :, 0], x[0, 0, 1, :4] = x[0, :, 5], [0, -0.0, 1, -1]
    expected = run(flatbuffer, x)
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(run(model.write(), x, library=True), expected, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(interpreter(model.write()).predict(x), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    ("function", "declared", "reason"),
    [
        (lambda x: tf.tanh(20 * x), False, "its input is not quantized: it is not known to be monotone (MUL, TANH)"),
        (
            lambda x: x * tf.where(x == turned(x), 1.0, -1.0),
            False,
            "its input is not quantized: no element-wise function of one tensor ends here",
        ),
        (
            lambda x: tf.sign(x) / tf.sign(turned(x)),  # of signs: it was to be quantized
            True,
            "its input is not quantized: no element-wise function of one tensor ends here",
        ),
    ],
)
def test_convolutions_of_look_alikes_stay_float(function: KerasFunction, declared: bool, reason: str) -> None:
    weights = tf.constant(np.random.default_rng(0).choice([-1.0, 1.0], (3, 3, 32, 8)), tf.float32)
    graph = graph_of(lambda x: tf.nn.conv2d(function(x), weights, 1, "SAME"))
    (layer,) = lower(graph).layers
    assert (layer.declared, layer.reason) == (declared, reason)


def test_a_sum_of_signs_is_no_source() -> None:
    """A ternary of Larq is the sign of a sum of two signs: the source is what these are of."""
    graph = graph_of(larq.quantizers.SteTern())
    found = step_function(graph, graph.outputs[0])
    assert isinstance(found, StepFunction)
    assert found.subgraph.source is graph.inputs[0]
    np.testing.assert_allclose(found.thresholds[:, 0], [-0.05, 0.05], rtol=1e-6)
