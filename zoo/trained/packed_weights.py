"""Weights in a file with binary kernels as bits.

What a binary kernel's quantizer gives is all that a network computes with: +s or −s for each filter. A file keeps the
signs, eight in a byte, and the scales; the latent weights come back as ±s, from which training can go on.
"""

from pathlib import Path

import numpy as np

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.files import atomic_file
from mobile_bnn.typing import Array, KerasLayer, KerasModel
from mobile_bnn.zoo.trained.named_weights import Weights, variables

_SIGNS, _SCALES, _SHAPE = "|signs", "|scales", "|shape"
_ROUNDING = 1e-5  # of a float32 mean of many equal numbers
_MOST_VALUES = 1 << 28  # of one array: 1 GiB as float32


def pack(model: KerasModel) -> dict[str, Array]:
    """The weights of a model; instead of a binary kernel its signs (uint8), scales (float32) and shape (int64).

    A kernel whose quantizer would give something else for ±s than for the latent weights is kept as it is.
    """
    packed: dict[str, Array] = {}
    for layer, name, variable in variables(model):
        value = variable.numpy()
        bits = _binary(layer, value) if name.endswith("/kernel") else None
        if bits is None:
            packed[name] = value
        else:
            signs, scales = bits
            packed[name + _SIGNS] = np.packbits(signs)
            packed[name + _SCALES] = scales
            packed[name + _SHAPE] = np.array(value.shape, np.int64)
    return packed


def write(path: Path | str, packed: Weights) -> None:
    """Writes the arrays of `pack` as .npz, atomically."""
    with atomic_file(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, **packed)


def read(path: Path | str) -> dict[str, Array]:
    """The weights in a file that `write` made: float32, binary kernels as ±s.

    Raises:
        MobileBnnError: it is damaged, or not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _unpacked({name: arrays[name] for name in arrays.files})
    except Exception as error:  # whatever zip, zlib and NumPy make of a damaged file
        raise MobileBnnError(f"{path} cannot be read", why=first_line(error)) from error


def _binary(layer: KerasLayer, latent: Array) -> tuple[Array, Array] | None:
    """The signs and the scale of each filter, or None where ±scale would not give the same kernel."""
    quantizer = getattr(layer, "kernel_quantizer", None)
    if quantizer is None or latent.ndim < 2:
        return None
    kernel = np.asarray(quantizer(latent))
    filters = np.abs(kernel).reshape(-1, kernel.shape[-1])
    scales = np.median(filters, axis=0).astype(latent.dtype)
    # Straight-through estimators that add the latent weight and subtract it again round the scale.
    if not np.all(scales) or not np.allclose(filters, scales, rtol=_ROUNDING, atol=0):
        return None
    signs = kernel > 0
    again = np.asarray(quantizer(np.where(signs, scales, -scales)))
    return (signs, scales) if np.allclose(again, kernel, rtol=_ROUNDING, atol=0) else None


def _unpacked(arrays: Weights) -> dict[str, Array]:
    weights = {}
    for name, value in arrays.items():
        base, mark, part = name.rpartition("|")
        if not mark:
            weights[name] = value
        elif f"|{part}" == _SHAPE:
            shape = tuple(int(extent) for extent in value)
            scales, signs = arrays[base + _SCALES], arrays[base + _SIGNS]
            count = int(np.prod(shape, dtype=np.float64))
            whole = min(shape) > 0 and count <= _MOST_VALUES and signs.size == -(-count // 8)
            if not whole or signs.dtype != np.uint8 or scales.shape != shape[-1:]:
                raise ValueError(f"{base} has parts that do not fit together")
            bits = np.unpackbits(signs, count=count).reshape(shape)
            weights[base] = np.where(bits, scales, -scales).astype(np.float32)
    return weights
