"""Files of .safetensors: the length of a header, 8 bytes; the header, JSON; the elements of all tensors."""

import json
from pathlib import Path
from typing import Any

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.zoo.importing.checkpoints import Checkpoint
from mobile_bnn.zoo.importing.state_dicts import checkpoint_of
from mobile_bnn.zoo.importing.torch_tensors import Storage, Tensor

_MAX_HEADER = 100_000_000  # as the format's own library
_DTYPES = {
    "F32": "f4",
    "F64": "f8",
    "F16": "f2",
    "BF16": "bfloat16",
    "I64": "i8",
    "I32": "i4",
    "I16": "i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "u1",
}


def read_safetensors(path: Path) -> Checkpoint:
    """The tensors of such a file.

    Raises:
        MobileBnnError: it is damaged.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(_MAX_HEADER, size - 8):
                raise ValueError
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        begin = 8 + length
        places = {name: _place(name, entry, size - begin) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise MobileBnnError(f"{path} is a damaged .safetensors file") from error
    tensors = {name: tensor for name, (tensor, _) in places.items()}

    def read(storage: Storage) -> bytes:
        first, last = places[storage.key][1]
        with path.open("rb") as file:
            file.seek(begin + first)
            return file.read(last - first)

    def size_of(storage: Storage) -> int:
        first, last = places[storage.key][1]
        return last - first

    return checkpoint_of(path, tensors, size_of, read, big_endian=False)


def _place(name: str, entry: Any, end: int) -> tuple[Tensor, tuple[int, int]]:
    """A tensor and where its elements lie.

    Raises:
        ValueError: that is not within the file.
    """
    shape, (first, last) = tuple(entry["shape"]), entry["data_offsets"]
    if not all(isinstance(each, int) and each >= 0 for each in (*shape, first, last)) or not first <= last <= end:
        raise ValueError
    strides: list[int] = []
    elements = 1
    for size in reversed(shape):
        strides.insert(0, elements)
        elements *= size
    return Tensor(Storage(_DTYPES[entry["dtype"]], name, elements), 0, shape, tuple(strides)), (first, last)
