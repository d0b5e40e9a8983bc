"""Checkpoints of torch.save before PyTorch 1.6: five pickles one after another, then the storages.

The pickles are a magic number, the version of the format, the writer's machine, the content, and the keys of the
storages in the order in which they follow: each is its number of elements, 8 bytes, and the elements.
"""

import io
from pathlib import Path
from typing import IO, Any, cast

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.zoo.importing.checkpoints import Checkpoint
from mobile_bnn.zoo.importing.state_dicts import checkpoint_of
from mobile_bnn.zoo.importing.torch_pickle import read_pickle
from mobile_bnn.zoo.importing.torch_tensors import RefusedError, Storage, Tensor

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_MAX_LINE = 1000
_CURE = "Save it again, where it was made: torch.save(torch.load(FILE, weights_only=True), 'weights.pth')"


class _Bounded(io.RawIOBase):
    """A file that is never asked for more bytes than it has: Python would allocate what a damaged length says."""

    def __init__(self, file: IO[bytes], end: int) -> None:
        self._file, self._end = file, end

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        left = self._end - self._file.tell()
        return self._file.read(min(size, left) if size >= 0 else left)

    def readline(self, size: int | None = -1) -> bytes:
        """A line, of the lengths that names have."""
        return self._file.readline(_MAX_LINE)

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._file.tell()


def read_legacy(path: Path) -> Checkpoint:
    """The tensors of such a file.

    Raises:
        MobileBnnError: it is damaged, hostile, or another pickle.
    """
    try:
        with path.open("rb") as opened:
            file = cast(IO[bytes], _Bounded(opened, path.stat().st_size))  # all that is asked of it
            if (read_pickle(file), read_pickle(file)) != (_MAGIC, _VERSION):
                raise MobileBnnError(f"{path} is a pickle, but not a checkpoint of torch.save", cure=_CURE)
            machine, content, keys = read_pickle(file), read_pickle(file), read_pickle(file)
            sizes = {each.key: each.size * each.item_bytes for each in _storages(content)}
            begins = _begins(opened, path.stat().st_size, keys, sizes, _byte_order(machine))
    except RefusedError as error:
        raise MobileBnnError(f"{path} is {error.what}", why=error.why, cure=error.cure) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise MobileBnnError(f"{path} is a damaged checkpoint", why="it is not what torch.save writes") from error

    def read(storage: Storage) -> bytes:
        with path.open("rb") as file:
            file.seek(begins[storage.key])
            return file.read(sizes[storage.key])

    big_endian = _byte_order(machine) == "big"
    return checkpoint_of(
        path, content, lambda each: sizes[each.key] if each.key in begins else -1, read, big_endian=big_endian
    )


def _byte_order(machine: Any) -> str:
    return "little" if machine["little_endian"] else "big"


def _begins(file: IO[bytes], end: int, keys: Any, sizes: dict[str, int], order: Any) -> dict[str, int]:
    """Where the elements of each storage begin."""
    begins = {}
    for key in keys:
        count = int.from_bytes(file.read(8), order)
        begins[key] = file.tell()
        size = sizes[key]
        if count < 0 or begins[key] + size > end:
            raise ValueError
        file.seek(size, 1)
    return begins


def _storages(content: Any) -> list[Storage]:
    """Of all tensors in dictionaries and lists; each object is looked at once, however often it is referred to."""
    seen: set[int] = set()
    found, left = [], [content]
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Tensor):
            found.append(each.storage)
        elif isinstance(each, dict):
            left += each.values()
        elif isinstance(each, list | tuple):
            left += each
    return found
