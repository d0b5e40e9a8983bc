"""The inputs of a file's reference outputs: not stored, for whoever checks a file generates the same ones.

A *pixel* is a byte from a counter n, which counts from 0 through the elements of all inputs of the main graph, in the
order of the graph, and on through the samples. In 32-bit unsigned arithmetic, which wraps:

    h = n
    h = (h xor (h >> 16)) * 0x85ebca6b
    h = (h xor (h >> 13)) * 0xc2b2ae35
    pixel = (h xor (h >> 16)) mod 256

An input of uint8 or int8 holds the bits of the pixels. Element i of an input of float32 is (pixel - mean[c]) / std[c],
each operation rounded to float32, with c = i mod len(mean), and mean and std those of the file's record as float32.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mobile_bnn.runtime.metadata import Normalization
from mobile_bnn.typing import Array, TensorDetail

TYPES = (np.float32, np.uint8, np.int8)
"""Of inputs that reference outputs can be recorded for."""


def reference_input(sample: int, details: Sequence[TensorDetail], normalization: Normalization) -> list[Array]:
    """The inputs of one sample.

    Args:
        sample: its number, from 0.
        details: of the inputs, as the runtime tells them, in the order of the graph.
        normalization: of the file's record.

    Returns:
        An array for each input, of its shape and dtype, which is one of `TYPES`.
    """
    sizes = [int(np.prod(detail["shape"], dtype=np.int64)) for detail in details]
    start, arrays = sample * sum(sizes), []
    for detail, size in zip(details, sizes, strict=True):
        pixels, start = _pixels(start, size), start + size
        values = _normalized(pixels, normalization) if detail["dtype"] == np.float32 else pixels.view(detail["dtype"])
        arrays.append(values.reshape(detail["shape"]))
    return arrays


def _pixels(start: int, count: int) -> npt.NDArray[np.uint8]:
    h = (np.arange(start, start + count, dtype=np.int64) & 0xFFFFFFFF).astype(np.uint32)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return (h ^ (h >> np.uint32(16))).astype(np.uint8)


def _normalized(pixels: npt.NDArray[np.uint8], normalization: Normalization) -> Array:
    with np.errstate(all="ignore"):  # a foreign record may name numbers that float32 lacks
        mean, std = (np.asarray(each, np.float32) for each in (normalization.mean, normalization.std))
        channels = np.arange(len(pixels)) % len(mean)
        values: Array = (pixels.astype(np.float32) - mean[channels]) / std[channels]
    return values
