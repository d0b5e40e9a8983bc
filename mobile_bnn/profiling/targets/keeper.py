"""What runs on a board while a session lasts: it lays files, starts processes, and ends them when the session ends.

Nothing is installed for it: the host sends this very source to the board's Python, 3.7 or newer, which the standard
library is enough for. Each request is a line of JSON on its standard input, and bytes where the request says how many;
each reply is such a line on its standard output. A connection that is cut does not end what runs on a board: so the
keeper does, when its input ends, and also when the host has been silent for so long that the network must be gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GREETING = "mobile_bnn keeper "
_SILENCE_S = 30.0  # the host says something every 5 seconds
_BLOCK = 1 << 16
_KILLED_BY_PARENTS_END = 1  # PR_SET_PDEATHSIG
_MOST_ERRORS = 1 << 16  # bytes of a process's standard error that are kept, the last ones


class GoneError(Exception):
    """The host is not there any more."""


class Channel:
    """Lines and bytes from the host."""

    def __init__(self) -> None:
        self._read = b""
        self._heard = time.monotonic()

    def _more(self) -> None:
        block = os.read(0, _BLOCK)
        if not block:
            raise GoneError
        self._read += block
        self._heard = time.monotonic()

    def wait(self, others: list[int], seconds: float) -> list[int]:
        """Those of the descriptors that can be read, after so many seconds at the most; what the host says is read."""
        ready = select.select([0, *others], [], [], seconds)[0]
        if 0 in ready:
            self._more()
        if time.monotonic() - self._heard > _SILENCE_S:
            raise GoneError
        return [each for each in ready if each]

    def line_if_there(self) -> dict[str, Any] | None:
        """The next request, unless it has not arrived."""
        line, found, rest = self._read.partition(b"\n")
        if not found:
            return None
        self._read = rest
        return json.loads(line)  # type: ignore[no-any-return]

    def line(self) -> dict[str, Any]:
        """The next request."""
        while True:
            request = self.line_if_there()
            if request is not None:
                return request
            self.wait([], 1)

    def blocks(self, size: int) -> Any:
        """The next so many bytes, in blocks."""
        while size:
            while not self._read:
                self.wait([], 1)
            block, self._read = self._read[:size], self._read[size:]
            size -= len(block)
            yield block


def reply(content: dict[str, Any], *parts: bytes) -> None:
    """Answers a request."""
    message = json.dumps(content).encode() + b"\n" + b"".join(parts)
    while message:
        if not select.select([], [1], [], _SILENCE_S)[1]:
            raise GoneError
        with contextlib.suppress(BlockingIOError):
            message = message[os.write(1, message) :]


class Keeper:
    """Answers requests until the host is gone."""

    def __init__(self) -> None:
        self._channel = Channel()
        self._lock: int | None = None

    def serve(self) -> None:
        """Answers one request after the other."""
        does: dict[str, Callable[[dict[str, Any]], None]]
        does = {"lock": self._take_lock, "put": self._put, "run": self._run, "remove": self._remove}
        while True:
            request = self._channel.line()
            if request["do"] in does:  # neither a sign of life nor the end of a process that has ended by itself
                does[request["do"]](request)

    def _take_lock(self, request: dict[str, Any]) -> None:
        """Takes the board for this session, or tells who has it. The kernel frees it however this process ends."""
        path = Path(request["path"]).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            reply({"held_by": os.read(lock, 1000).decode("utf-8", "replace") or "its name is not known"})
            os.close(lock)
            return
        self._lock = lock
        with contextlib.suppress(OSError):  # a full disk keeps no name, and need not
            os.ftruncate(lock, 0)
            os.write(lock, request["who"].encode())
        reply({"held_by": None})

    def _put(self, request: dict[str, Any]) -> None:
        """Lays a file, which appears when it is complete and has the right SHA-256."""
        path, size = Path(request["path"]).expanduser(), request["size"]
        if path.is_file() and path.stat().st_size == size:
            reply({"path": str(path), "is_there": True})
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for part in path.parent.glob("*.part"):
                part.unlink()
            free = _free_bytes(path.parent)
        except OSError as error:
            reply(_failure(error, 0))
            return
        if free < size:
            reply({"error": os.strerror(errno.ENOSPC), "full": True, "free": free})
            return
        reply({"path": str(path), "is_there": False})
        reply(self._receive(path, size, request["sha256"]))

    def _receive(self, path: Path, size: int, sha256: str) -> dict[str, Any]:
        part, digest, failure = path.with_name(f"{path.name}.part"), hashlib.sha256(), None
        blocks = self._channel.blocks(size)
        try:
            with part.open("wb") as file:
                for block in blocks:
                    digest.update(block)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != sha256:
                failure = {"error": "it did not arrive as it was sent", "full": False, "free": 0}
            else:
                part.rename(path)
        except OSError as error:
            for _ in blocks:  # what is still on its way belongs to this request
                pass
            failure = _failure(error, _free_bytes(path.parent))
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
        return failure or {"path": str(path)}

    def _remove(self, request: dict[str, Any]) -> None:
        """Removes files and folders, and tells how many were there."""
        removed = 0
        for each in request["paths"]:
            path = Path(each).expanduser()
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                continue
            removed += 1
        reply({"removed": removed})

    def _run(self, request: dict[str, Any]) -> None:
        """Runs a process to its end, or until the host says "kill"."""
        content = b"".join(self._channel.blocks(request["input"]))
        argv = [str(Path(each).expanduser()) if each.startswith("~") else each for each in request["argv"]]
        kills = _kills_of_memory()
        try:
            process = _start(argv)
        except OSError as error:
            reply({"pid": None, "error": str(error)})
            return
        reply({"pid": process.pid})
        try:
            out, told, killed = self._follow(process, content)
        finally:
            _end(process)
        reply(
            {
                "returncode": process.returncode,
                "killed": killed,
                "out": len(out),
                "err": len(told),
                "memory_kills": _kills_of_memory() - kills,
                "memory_available": _memory("MemAvailable"),
                "memory_total": _memory("MemTotal"),
            },
            out,
            told,
        )

    def _follow(self, process: subprocess.Popen[bytes], content: bytes) -> tuple[bytes, bytes, bool]:
        """Feeds a process, and catches what it says until it ends."""
        _feed(process, content)
        assert process.stdout is not None
        assert process.stderr is not None
        caught = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
        open_ones, killed = list(caught), False
        while open_ones and not (process.poll() is not None and not select.select(open_ones, [], [], 0)[0]):
            for each in self._channel.wait(open_ones, 1):
                block = os.read(each, _BLOCK)
                caught[each] += block
                if not block:
                    open_ones.remove(each)
            caught[process.stderr.fileno()] = caught[process.stderr.fileno()][-_MOST_ERRORS:]
            request = self._channel.line_if_there()
            while request is not None:
                if request["do"] == "kill":
                    killed = True
                    _end(process)
                request = self._channel.line_if_there()
        while process.poll() is None:  # it has closed what it had open, and goes on
            self._channel.wait([], 0.05)
        return caught[process.stdout.fileno()], caught[process.stderr.fileno()], killed


def _start(argv: list[str]) -> subprocess.Popen[bytes]:
    """A process that leads a session of its own, and that the kernel ends should this one be killed."""
    set_option, parent = ctypes.CDLL(None).prctl, os.getpid()

    def end_with_parent() -> None:
        set_option(_KILLED_BY_PARENTS_END, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )


def _feed(process: subprocess.Popen[bytes], content: bytes) -> None:
    """Writes a request, which fits into a pipe: 64 KiB, where a worker reads it before it answers."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(content)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _failure(error: OSError, free: int) -> dict[str, Any]:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    named = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return {"error": named, "full": full, "free": free}


def _kills_of_memory() -> int:
    """How many processes the kernel has killed since it started because memory ran out; 0 where it does not tell."""
    return _number("/proc/vmstat", "oom_kill")


def _memory(name: str) -> int:
    return _number("/proc/meminfo", f"{name}:") * 1024


def _number(path: str, name: str) -> int:
    with contextlib.suppress(OSError), Path(path).open(encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] == name:
                return int(words[1])
    return 0


def main() -> None:
    """Greets, and serves until the host is gone."""
    reply_to = {"pid": os.getpid(), "home": str(Path.home()), "python": sys.executable}
    os.write(1, (GREETING + json.dumps(reply_to) + "\n").encode())
    os.set_blocking(1, False)  # a host that does not read is gone too
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the end of the input says it too, and lets what runs be ended
    with contextlib.suppress(GoneError, BrokenPipeError, ConnectionResetError):
        Keeper().serve()


if __name__ == "__main__":
    main()
