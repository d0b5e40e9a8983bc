"""Transposed convolutions as interleaved binary ones: equal to TFLite's float operator, in LiteRT and in LCE."""

import pytest
from float_files import to_float
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasTensor
from tests.converters.rules.linear_rules import FILTERS, INPUTS, check, filter_of, kinds_of


def kernel(kind: str, taps: tuple[int, int], outputs: int, channels: int, seed: int = 0) -> KerasTensor:
    """A filter [H, W, O, I] of few values, with scales for each output."""
    return tf.transpose(filter_of(kind, (*taps, channels, outputs), seed), (0, 1, 3, 2))


def output_size(size: int, taps: int, stride: int, padding: str, surplus: int) -> int:
    """A size that TensorFlow accepts: any that the convolution in the other direction takes to `size`."""
    least = (size - 1) * stride + (1 if padding == "SAME" else taps)
    return least + surplus % stride


def to_file(
    kind: str, weights: KerasTensor, shape: tuple[int, ...], stride: tuple[int, int], padding: str, surplus: int = 0
) -> bytes:
    """A float file of one transposed convolution."""
    sizes = zip(shape[1:3], weights.shape[:2], stride, strict=True)
    outputs = [output_size(size, taps, step, padding, surplus) for size, taps, step in sizes]

    def function(x: KerasTensor) -> KerasTensor:
        shape_out = (shape[0], *outputs, weights.shape[2])
        return tf.nn.conv2d_transpose(INPUTS[kind](x), weights, shape_out, stride, padding)

    flatbuffer = to_float(function, shape)
    assert "TRANSPOSE_CONV" in kinds_of(flatbuffer)
    return flatbuffer


@pytest.mark.slow
@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 999),
    kinds=st.tuples(st.sampled_from(sorted(INPUTS)), st.sampled_from(FILTERS)),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    taps=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    channels=st.sampled_from([1, 20, 32, 40]),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.sampled_from(["SAME", "VALID"]),
    surplus=st.integers(0, 3),
)
def test_equals_float(
    seed: int,
    kinds: tuple[str, str],
    size: tuple[int, int],
    taps: tuple[int, int],
    channels: int,
    stride: tuple[int, int],
    padding: str,
    surplus: int,
) -> None:
    shape = (1, *size, channels)
    check(to_file(kinds[0], kernel(kinds[1], taps, 5, channels, seed), shape, stride, padding, surplus), shape)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5])
def test_every_stride(taps: int, stride: int, padding: str) -> None:
    for size in ((4, 5), (1, 1)):
        shape = (1, *size, 32)
        weights = kernel("scaled", (taps, taps), 7, 32)
        check(to_file("sign", weights, shape, (stride, stride), padding, stride - 1), shape)
