"""Writes files and folders so that a reader only ever sees whole ones, also after kill -9 or a power cut."""

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

_SURELY_LEFT_S = 3600  # after which no writer of a file still works on its temporary one


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            with (Path(parent) / name).open("rb") as file:
                os.fsync(file.fileno())
        _sync_folder(Path(parent))


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def remove_leftovers(folder: Path | str, *, not_of: Collection[str] = ()) -> None:
    """Removes the temporary files and folders that killed processes left in `folder`.

    Args:
        folder: that no other process writes to now.
        not_of: names of files that others may be writing all the same; only old leftovers of these are removed.
    """
    for part in Path(folder).glob(".*.part*"):
        if any(part.name.startswith(f".{name}.") for name in not_of) and _age_s(part) < _SURELY_LEFT_S:
            continue
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # its writer has just ended
        return 0


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # as Python calls a file where a folder must be
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent)) from error


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Lets errors name `path`, which the user knows, instead of the temporary file beside it, or nothing."""
    try:
        yield
    except OSError as error:
        named = error.filename is not None and not Path(os.fsdecode(error.filename)).name.startswith(f".{path.name}.")
        if named or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it replaces `path`, on any exception it is removed."""
    path = Path(path)
    _make_parent(path)
    with _naming(path):
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=f".part{path.suffix}", dir=path.parent)
        os.close(descriptor)
        part = Path(name)
        try:
            yield part
            part.chmod(0o666 & ~_umask())
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(path)
            _sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path | str, *, keep: bool = True) -> Iterator[Path]:
    """Yields a temporary folder beside `path`, which must not exist; on success it is renamed to `path`.

    Args:
        path: the folder to make.
        keep: False drops the folder instead, for a process that has to take part in writing but does not own it.
    """
    path = Path(path)
    _make_parent(path)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        yield part
        if keep:
            _sync_tree(part)
            part.chmod(0o777 & ~_umask())
            part.rename(path)
            _sync_folder(path.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_bytes(path: Path | str, content: bytes) -> None:
    """Writes `content` to `path` atomically."""
    with atomic_file(path) as part:
        part.write_bytes(content)


def write_text(path: Path | str, content: str) -> None:
    """Writes `content` to `path` atomically, as UTF-8."""
    write_bytes(path, content.encode("utf-8"))


def sha256(path: Path | str) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
