"""A file of weights as named arrays, whatever its format; nothing in it is run, and arrays are read when asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.typing import Array

_HDF5, _ZIP, _PICKLE = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"\x80\x02"
_FORMATS = "It takes Larq Zoo's .h5 files, checkpoints of torch.save (.pth, .pt, .tar) and .safetensors"


@dataclass(frozen=True)
class StoredArray:
    """An array of a file.

    Attributes:
        shape: of the array.
        read: reads it, float32.
    """

    shape: tuple[int, ...]
    read: Callable[[], Array]


@dataclass(frozen=True)
class Checkpoint:
    """The arrays of a file by their names, in the file's order.

    Attributes:
        path: of the file.
        format: "Keras" or "PyTorch": who gave the names, and how arrays lie.
        arrays: by name.
        model: what the file says of itself, the name of a Keras model; empty where it says nothing.
        notes: what was left out on the way, for the report.
    """

    path: Path
    format: str
    arrays: Mapping[str, StoredArray]
    model: str = ""
    notes: tuple[str, ...] = field(default=())


def open_checkpoint(path: Path | str) -> Checkpoint:
    """Reads what arrays a file has, by its content and not by its name.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: it is not a checkpoint, or a damaged or hostile one.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    with path.open("rb") as file:
        begin = file.read(9)
    if begin.startswith(_HDF5):
        from mobile_bnn.zoo.importing.keras_hdf5 import read_hdf5

        return read_hdf5(path)
    if begin.startswith(_ZIP):
        from mobile_bnn.zoo.importing.torch_zip import read_zip

        return read_zip(path)
    if begin.startswith(_PICKLE):
        from mobile_bnn.zoo.importing.torch_legacy import read_legacy

        return read_legacy(path)
    if begin[8:] == b"{":
        from mobile_bnn.zoo.importing.safetensors import read_safetensors

        return read_safetensors(path)
    raise MobileBnnError(f"{path} is not a file of weights", cure=_FORMATS)
