"""Scales that vary over the map stay beside the binary convolution: XNOR-Net's of its input, XNOR-Net++'s after it."""

import numpy as np
import pytest

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.linear_rules import filter_of
from tests.converters.rules.lowered import check, convolve, sign

SHAPE = (1, 6, 7, 32)
WEIGHTS = filter_of("scaled", (3, 3, 32, 40))
generator = np.random.default_rng(3)


def scale_map(x: KerasTensor) -> KerasTensor:
    """XNOR-Net's K: the mean of |x| over channels, and of that over each window."""
    mean = tf.reduce_mean(tf.abs(tf.clip_by_value(x, -5.0, 5.0)), axis=-1, keepdims=True)
    return tf.nn.conv2d(mean, tf.fill((3, 3, 1, 1), 1 / 9), 1, "SAME")


@pytest.mark.parametrize("padding", ["one", "zero"])
def test_xnor_nets_scale_of_the_input(padding: str) -> None:
    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(sign(x), weights, padding) * scale_map(x)

    kinds = {"LceQuantize": 1, "LceBconv2d": 1, "CONV_2D": 1, "ABS": 1, "MEAN": 1, "MUL": 1, "SIGN": 0}
    check(network, SHAPE, kinds, WEIGHTS)


def test_after_a_batch_norm_that_both_read() -> None:
    gamma, beta = generator.normal(size=(2, 32)).astype(np.float32)

    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        y = x * gamma + beta
        return convolve(sign(y), weights, "zero") * scale_map(y)

    check(network, SHAPE, {"LceQuantize": 1, "LceBconv2d": 1, "CONV_2D": 1, "SIGN": 0}, WEIGHTS)


@pytest.mark.parametrize("shape", [(1, 6, 7, 1), (1, 6, 1, 1), (1, 6, 7, 40), (6, 7, 40)])
@pytest.mark.parametrize("padding", ["one", "zero"])
def test_static_scales_of_the_output(shape: tuple[int, ...], padding: str) -> None:
    scales = generator.uniform(0.5, 2, shape).astype(np.float32)

    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(sign(x), weights, padding) * scales

    graph = check(network, SHAPE, {"LceQuantize": 1, "LceBconv2d": 1, "MUL": 1}, WEIGHTS)
    assert len(graph.operators) == 3


def test_scales_of_rows_columns_and_channels() -> None:
    """XNOR-Net++'s rank-1 form: what is per channel goes into the convolution."""
    rows, columns, channels = (
        generator.uniform(0.5, 2, shape).astype(np.float32) for shape in ((6, 1, 1), (7, 1), (40,))
    )

    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        return convolve(sign(x), weights) * channels * rows * columns

    check(network, SHAPE, {"LceQuantize": 1, "LceBconv2d": 1, "MUL": 2}, WEIGHTS)


def test_a_sign_after_a_scale_of_the_input() -> None:
    """No threshold of the sum: the next sign is packed from floats."""

    def network(x: KerasTensor, first: KerasTensor, second: KerasTensor) -> KerasTensor:
        y = convolve(sign(x), first) * (scale_map(x) + 0.1)
        return convolve(sign(y), second)

    first, second = filter_of("sign", (3, 3, 32, 40)), filter_of("sign", (3, 3, 40, 8))
    check(network, SHAPE, {"LceQuantize": 2, "LceBconv2d": 2, "CONV_2D": 1}, first, second, exact=True)
