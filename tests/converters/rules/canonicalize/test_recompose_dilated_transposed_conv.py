"""Dilated transposed convolutions become dilated convolutions of the same numbers."""

import float_files
import litert_runs
import numpy as np
import pytest

from mobile_bnn.converters.graph.fold_constants import fold_constants
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.rules.canonicalize import recompose_dilated_transposed_conv
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.attempt import attempt


def dilated(taps: int, dilation: int, padding: str) -> bytes:
    """A float file of such a layer over whole numbers: sums of them have no rounding."""
    weights = np.random.default_rng(taps).integers(-3, 4, (taps, taps, 6, 5)).astype(np.float32)
    growth = 0 if padding == "SAME" else (taps - 1) * dilation

    def function(x: KerasTensor) -> KerasTensor:
        shape = (1, 7 + growth, 6 + growth, 6)
        return tf.nn.atrous_conv2d_transpose(x, tf.constant(weights), shape, dilation, padding)

    return float_files.to_float(function, (1, 7, 6, 5))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("taps", "dilation"), [(3, 2), (2, 3), (4, 2), (1, 2)])
def test_equals_the_float_operator_in_every_bit(taps: int, dilation: int, padding: str) -> None:
    flatbuffer = dilated(taps, dilation, padding)
    model = TfliteModel.read(flatbuffer)
    (graph,) = model.graphs
    fold_constants(graph)
    (root,) = (operator for operator in graph.operators if operator.op_type == "TRANSPOSE_CONV")
    assert attempt(recompose_dilated_transposed_conv, graph, root) is None
    assert {operator.op_type for operator in graph.operators} <= {"CONV_2D", "PAD", "PADV2"}
    x = np.random.default_rng(0).integers(-9, 10, (1, 7, 6, 5)).astype(np.float32)
    np.testing.assert_array_equal(litert_runs.run(model.write(), x), litert_runs.run(flatbuffer, x))


def test_one_that_stands_alone_stays() -> None:
    weights = tf.ones((3, 3, 6, 5))
    flatbuffer = float_files.to_float(
        lambda x: tf.nn.conv2d_transpose(x, weights, (1, 9, 8, 6), 1, "VALID"), (1, 7, 6, 5)
    )
    (graph,) = TfliteModel.read(flatbuffer).graphs
    (root,) = (operator for operator in graph.operators if operator.op_type == "TRANSPOSE_CONV")
    refused = attempt(recompose_dilated_transposed_conv, graph, root)
    assert refused == "it does not stand between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND"
