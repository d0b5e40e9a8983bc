"""The service `sync:`, version 1: the host tells files and folders apart, lists them, pushes and pulls."""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.devices.phone.root import SHELL_USER
from tests.devices.phone.stream import Stream
from tests.devices.phone.system import System

_WRITABLE = "/data/local/tmp"
_BLOCK = 64 * 1024


class SyncService:
    """Files of a phone.

    Attributes:
        on_data: called with the number of bytes of a file that have arrived, after each part.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self.on_data: Callable[[int], None] = lambda size: None

    def __call__(self, stream: Stream, asked: str) -> None:
        """Answers requests until the host asks for the end."""
        while True:
            name, size = struct.unpack("<4sI", stream.read(8))
            path = stream.read(size).decode("utf-8", "surrogateescape")
            if name == b"QUIT":
                return
            try:
                self._answer(stream, name, path)
            except OSError as error:
                if isinstance(error, ConnectionError):
                    raise
                _fail(stream, os.strerror(error.errno or 0))

    def _answer(self, stream: Stream, name: bytes, path: str) -> None:
        answers = {b"STAT": self._tell, b"LIST": self._list, b"SEND": self._receive, b"RECV": self._send}
        if name not in answers:
            _fail(stream, f"unknown command {name!r}")
            return
        answers[name](stream, path)

    def _real(self, path: str) -> Path:
        return self._system.root / path.lstrip("/")

    def _tell(self, stream: Stream, path: str) -> None:
        stream.write(b"STAT" + _stat(self._real(path)))

    def _list(self, stream: Stream, path: str) -> None:
        with suppress(FileNotFoundError, NotADirectoryError):
            for each in sorted(self._real(path).iterdir()):
                encoded = each.name.encode()
                stream.write(b"DENT" + _stat(each) + struct.pack("<I", len(encoded)) + encoded)
        stream.write(b"DONE" + bytes(16))

    def _send(self, stream: Stream, path: str) -> None:
        with self._real(path).open("rb") as file:
            while block := file.read(_BLOCK):
                stream.write(b"DATA" + struct.pack("<I", len(block)) + block)
        stream.write(b"DONE" + bytes(4))

    def _receive(self, stream: Stream, asked: str) -> None:
        """Writes a file; after a failure the rest is read and thrown away, as real ones do for old hosts."""
        path, _, mode = asked.rpartition(",")
        try:
            self._write(stream, path, int(mode) & 0o777)
        except OSError as error:
            if isinstance(error, ConnectionError):
                raise
            _fail(stream, f"couldn't write file: {os.strerror(error.errno or 0)}")
            for _ in _parts(stream):
                pass
            return
        stream.write(b"OKAY" + bytes(4))

    def _write(self, stream: Stream, path: str, mode: int) -> None:
        if not path.startswith(_WRITABLE):
            raise PermissionError(13, "Permission denied")
        real = self._real(path)
        for folder in reversed(real.parents):
            if not folder.exists():
                folder.mkdir()
                os.chown(folder, SHELL_USER, SHELL_USER)
        real.unlink(missing_ok=True)
        with real.open("wb", buffering=0) as file:
            os.fchown(file.fileno(), SHELL_USER, SHELL_USER)
            os.fchmod(file.fileno(), mode)
            for part in _parts(stream):
                while part:  # a full disk takes a part of it first
                    part = part[file.write(part) :]
                self.on_data(file.tell())


def _parts(stream: Stream) -> Iterator[bytes]:
    """The parts of a file that the host sends."""
    while True:
        name, size = struct.unpack("<4sI", stream.read(8))
        if name == b"DONE":
            return
        yield stream.read(size)


def _stat(path: Path) -> bytes:
    try:
        found = path.lstat()
    except OSError:
        return bytes(12)
    return struct.pack("<III", found.st_mode, min(found.st_size, 0xFFFFFFFF), int(found.st_mtime))


def _fail(stream: Stream, why: str) -> None:
    encoded = why.encode()
    stream.write(b"FAIL" + struct.pack("<I", len(encoded)) + encoded)
