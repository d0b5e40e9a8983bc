"""The bound for the rounding of outputs, against what kernels really round."""

import numpy as np
import pytest
from float_files import to_float
from litert_runs import run

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import lower
from mobile_bnn.converters.verification.rounding import rounding
from mobile_bnn.legacy_keras import larq, tf

GENERATOR = np.random.default_rng(0)
WEIGHTS = np.where(GENERATOR.normal(size=(3, 3, 32, 16)) < 0, -1, 1).astype(np.float32)


@pytest.mark.parametrize("gain", [1.0, 1e3, 1e6])
def test_it_bounds_what_a_steep_batch_norm_loses(gain: float) -> None:
    """In float64 the sums are known exactly."""
    bias = GENERATOR.normal(size=16).astype(np.float32)

    def network(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(larq.math.sign(x), WEIGHTS, 1, "VALID") * gain - 17 * gain + bias

    model = TfliteModel.read(to_float(network, (1, 9, 9, 32)))
    graph = model.graphs[0]
    lower(graph)
    x = np.random.default_rng(1).normal(size=(1, 9, 9, 32)).astype(np.float32)
    signs = np.where(x < 0, -1.0, 1.0)
    windows = np.lib.stride_tricks.sliding_window_view(signs, (3, 3), (1, 2))
    exact = np.einsum("nhwcyx,yxco->nhwo", windows, WEIGHTS.astype(np.float64)) * gain - 17 * gain + bias
    difference = np.abs(run(model.write(), x, library=True) - exact).max()
    bound = rounding(graph, graph.outputs[0])
    assert 0 <= difference <= bound <= 1e-3 * gain
    assert bound >= 1e-7 * gain


def test_nothing_is_known_after_other_operators() -> None:
    model = TfliteModel.read(
        to_float(lambda x: tf.nn.softmax(tf.nn.conv2d(larq.math.sign(x), WEIGHTS, 1, "VALID")), (1, 9, 9, 32))
    )
    lower(model.graphs[0])
    assert rounding(model.graphs[0], model.graphs[0].outputs[0]) == 0
