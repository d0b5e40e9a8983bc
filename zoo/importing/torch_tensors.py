"""Storages and tensors of a checkpoint of PyTorch: numbers in the file, and views of them that are checked to fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mobile_bnn.errors import MobileBnnError

# The element types of storages, little-endian; bfloat16 is the upper half of a float32.
DTYPES: Mapping[str, str] = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "u1",
}


class RefusedError(MobileBnnError):
    """A checkpoint that is damaged, or asks for more than tensors."""


@dataclass(frozen=True)
class Storage:
    """The elements that tensors are views of.

    Attributes:
        dtype: a value of `DTYPES`.
        key: of its record in the file.
        size: number of elements.
    """

    dtype: str
    key: str
    size: int

    @property
    def item_bytes(self) -> int:
        """Bytes of an element."""
        return 2 if self.dtype == "bfloat16" else np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Tensor:
    """A view of a storage: `offset` and `strides` count elements; it is checked to lie inside."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def is_size(value: object) -> bool:
    """Whether a value of a file may count elements."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 48


def tensor_of(arguments: tuple[Any, ...]) -> Tensor:
    """What `torch._utils._rebuild_tensor_v2` makes of (storage, offset, shape, strides, …).

    Raises:
        RefusedError: it reaches beyond its storage, or has more elements than that.
        TypeError, ValueError: they are something else.
    """
    storage, offset, shape, strides = arguments[:4]
    sizes = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or len(shape) != len(strides) or len(shape) > 8 or not all(map(is_size, sizes)):
        raise TypeError
    elements = 1
    for size in shape:
        elements *= size
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if elements and last >= storage.size:
        raise RefusedError("damaged", why=f"a tensor of shape {tuple(shape)} reaches beyond its storage")
    if elements > storage.size:
        raise RefusedError("unsafe", why=f"a tensor of shape {tuple(shape)} is larger than its storage")
    return Tensor(storage, offset, tuple(shape), tuple(strides))
