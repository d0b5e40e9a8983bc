"""The generated inputs of reference outputs, against a transcription of their formula in Python's own integers."""

import struct
from itertools import count

import numpy as np
import pytest

from mobile_bnn.runtime import Normalization
from mobile_bnn.runtime.reference_inputs import reference_input
from mobile_bnn.typing import Array, TensorDetail

RGB = Normalization(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])

FIRST = [0, 183, 6, 39, 133, 205, 8, 196, 11, 19, 144, 4]  # the last bytes of MurmurHash3's fmix32(0), fmix32(1), …


def detail(dtype: type[np.generic], *shape: int) -> TensorDetail:
    return {"shape": np.array(shape, np.int32), "dtype": dtype}  # type: ignore[typeddict-item]  # all that is read


def pixel(n: int) -> int:
    h = n % 2**32
    h = (h ^ (h >> 16)) * 0x85EBCA6B % 2**32
    h = (h ^ (h >> 13)) * 0xC2B2AE35 % 2**32
    return (h ^ (h >> 16)) % 256


def as_float32(number: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def normalized(n: int, i: int) -> float:
    """A quotient or difference of float32 in double precision, rounded once more, is what float32 gives."""
    mean, std = (as_float32(each[i % 3]) for each in (RGB.mean, RGB.std))
    return as_float32(as_float32(pixel(n) - mean) / std)


def test_inputs_are_those_of_the_formula() -> None:
    details = [detail(np.float32, 1, 5, 4, 3), detail(np.uint8, 1, 7), detail(np.int8, 2, 3)]
    n = count()
    for sample in range(3):
        image, unsigned, signed = reference_input(sample, details, RGB)
        expected = np.array([normalized(next(n), i) for i in range(60)], np.float32)
        assert image.dtype == np.float32
        assert image.tobytes() == expected.tobytes()
        assert unsigned.dtype == np.uint8
        assert unsigned.tobytes() == bytes(pixel(next(n)) for _ in range(7))
        assert signed.dtype == np.int8
        assert signed.tobytes() == bytes(pixel(next(n)) for _ in range(6))
        assert [image.shape, unsigned.shape, signed.shape] == [(1, 5, 4, 3), (1, 7), (2, 3)]


def test_the_first_pixels_never_change() -> None:
    (first,) = reference_input(0, [detail(np.uint8, 12)], RGB)
    assert first.tolist() == FIRST


def test_the_counter_wraps_after_32_bits() -> None:
    wide = [detail(np.uint8, 2**20)]
    last, first = reference_input(2**12 - 1, wide, RGB), reference_input(2**12, wide, RGB)
    assert last[0].tolist()[-3:] == [pixel(2**32 - 3), pixel(2**32 - 2), pixel(2**32 - 1)]
    assert np.array_equal(first[0], reference_input(0, wide, RGB)[0])


def test_every_pixel_value_is_about_as_frequent() -> None:
    (image,) = reference_input(0, [detail(np.uint8, 224, 224, 3)], RGB)
    counts = np.bincount(image.ravel(), minlength=256)
    assert abs(counts - counts.mean()).max() < 6 * counts.mean() ** 0.5
    neighbours: Array = np.corrcoef(image.ravel()[:-1], image.ravel()[1:])
    assert abs(neighbours[0, 1]) < 0.02


@pytest.mark.parametrize("std", [1e-60, 1e60])
def test_numbers_that_float32_lacks_are_infinite_or_zero(std: float) -> None:
    (values,) = reference_input(0, [detail(np.float32, 4)], Normalization(mean=[0.0], std=[std]))
    assert not np.isfinite(values[1:]).any() if std < 1 else not values.any()
