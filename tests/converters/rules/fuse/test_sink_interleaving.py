"""Batch norms, activations and signs after a transposed convolution meet the convolutions that it consists of."""

import float_files
import numpy as np
import pytest

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.fuse import sink_interleaving
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import check, lowered, only, sign, to_float

GENERATOR = np.random.default_rng(5)
GAMMA, BETA = GENERATOR.normal(size=(2, 64)).astype(np.float32)
SHAPE = (1, 5, 4, 32)


def transposed(x: KerasTensor, weights: KerasTensor, stride: int = 2, padding: str = "SAME") -> KerasTensor:
    taps = weights.shape[0]
    same = padding == "SAME"
    sizes = [size * stride if same else (size - 1) * stride + taps for size in x.shape[1:3]]
    return tf.nn.conv2d_transpose(sign(x), weights, (1, *sizes, weights.shape[2]), stride, padding)


def kernel(taps: int, outputs: int, channels: int = 32) -> KerasTensor:
    return tf.transpose(filter_of("sign", (taps, taps, channels, outputs)), (0, 1, 3, 2))


def test_a_batch_norm_becomes_multiplier_and_bias() -> None:
    kinds = {"LceQuantize": 1, "LceBconv2d": 1, "DEPTH_TO_SPACE": 1, "MUL": 0, "ADD": 0}
    check(lambda x, w: transposed(x, w) * GAMMA + BETA, SHAPE, kinds, kernel(2, 64))


@pytest.mark.parametrize(
    ("taps", "kinds"),
    [
        (2, {"LceQuantize": 1, "LceBconv2d": 2, "DEPTH_TO_SPACE": 1, "ADD": 0}),
        (3, {"LceBconv2d": 5, "CONCATENATION": 1, "DEPTH_TO_SPACE": 1}),
        (4, {"LceQuantize": 2, "LceBconv2d": 2, "DEPTH_TO_SPACE": 1, "SLICE": 1}),
    ],
)
def test_a_batch_norm_and_a_sign_between_two_layers(taps: int, kinds: dict[str, int]) -> None:
    def function(x: KerasTensor, w: KerasTensor, after: KerasTensor) -> KerasTensor:
        # The shift keeps even sums away from the threshold, where the order of additions would be the sign.
        return tf.nn.conv2d(sign(transposed(x, w) * GAMMA + BETA), after, 1, "VALID")

    graph = check(function, SHAPE, {**kinds, "MUL": 0}, kernel(taps, 64), filter_of("sign", (1, 1, 64, 8)))
    assert only(graph, "DEPTH_TO_SPACE").output.dtype == np.int32  # words are moved instead of floats


def test_activations() -> None:
    def function(x: KerasTensor, w: KerasTensor) -> KerasTensor:
        y = tf.nn.relu6(transposed(x, w) + BETA) - 1.5
        return tf.nn.leaky_relu(y * GAMMA, 0.25)

    graph = check(function, SHAPE, {"LEAKY_RELU": 1, "DEPTH_TO_SPACE": 1, "SLICE": 1}, kernel(4, 64))
    assert [operator.op_type for operator in graph.operators][-2:] == ["DEPTH_TO_SPACE", "SLICE"]


def test_channels_that_fill_no_word_are_moved_as_floats() -> None:
    def function(x: KerasTensor, w: KerasTensor, after: KerasTensor) -> KerasTensor:
        return tf.nn.conv2d(sign(transposed(x, w) + BETA[:8]), after, 1, "VALID")

    graph = check(
        function, SHAPE, {"LceQuantize": 2, "LceBconv2d": 2, "ADD": 0}, kernel(2, 8), filter_of("sign", (1, 1, 8, 8))
    )
    assert only(graph, "DEPTH_TO_SPACE").output.dtype == np.float32


def test_who_else_reads_the_result_gets_it_as_it_was() -> None:
    def function(x: KerasTensor, w: KerasTensor) -> KerasTensor:
        y = transposed(x, w)
        return tf.concat([y * GAMMA, tf.nn.tanh(y)], 3)

    check(function, SHAPE, {"LceBconv2d": 1, "DEPTH_TO_SPACE": 1, "MUL": 1}, kernel(2, 64))


def test_what_varies_within_a_channel_stays_after_it() -> None:
    places = GENERATOR.normal(size=(1, 10, 8, 1)).astype(np.float32)
    check(lambda x, w: transposed(x, w) + places, SHAPE, {"LceBconv2d": 1, "ADD": 1}, kernel(2, 64))


def test_float_graphs_stay_as_they_are() -> None:
    function = lambda x: tf.nn.depth_to_space(tf.nn.tanh(x), 2) * GAMMA[:8]  # noqa: E731
    (graph,) = TfliteModel.read(float_files.to_float(function, SHAPE)).graphs
    with pytest.raises(NoMatch, match="does not move the results of binary convolutions alone") as raised:
        sink_interleaving.rewrite(graph, only(graph, "MUL"))
    assert raised.value.code is RefusalCode.PATTERN_ABSENT


def test_no_rewrite_without_end() -> None:
    flatbuffer, graph = lowered(to_float(lambda x, w: tf.nn.relu(transposed(x, w, 3)) * GAMMA, SHAPE, kernel(5, 64)))
    assert len(flatbuffer) < 100_000
    assert {operator.op_type for operator in graph.operators} & {"TRANSPOSE_CONV"} == set()
