"""LCE's bit-packed format in NumPy: 32 channels in each int32 of the last dimension, least significant bit first."""

from typing import Any

import numpy as np
import numpy.typing as npt


def unpack(words: npt.NDArray[np.int32], channels: int) -> npt.NDArray[np.bool_]:
    """Unpacks int32 [..., ceil(channels / 32)] to bool [..., channels], True for −1.

    Raises:
        ValueError: the last dimension is too short for that many channels.
    """
    little: npt.NDArray[Any] = np.ascontiguousarray(words).astype("<i4", copy=False)
    bits = np.unpackbits(little.view(np.uint8), axis=-1, bitorder="little")
    if channels > bits.shape[-1]:
        raise ValueError(f"{words.shape[-1]} words hold no {channels} channels")
    return bits[..., :channels].astype(bool)


def pack(signs: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Packs bool [..., channels], True for −1, to int32 [..., ceil(channels / 32)], with 0 past the last channel."""
    octets = np.packbits(signs, axis=-1, bitorder="little")
    padded = np.pad(octets, [(0, 0)] * (octets.ndim - 1) + [(0, -octets.shape[-1] % 4)])
    words: npt.NDArray[np.int32] = np.ascontiguousarray(padded).view("<i4").astype(np.int32)
    return words
