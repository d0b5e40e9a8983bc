"""The host's end of keeper.py: requests to what runs on a board while a session lasts."""

import asyncio
import contextlib
import getpass
import json
import os
import shlex
import socket
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import sha256
from mobile_bnn.profiling.targets import keeper, ssh_errors
from mobile_bnn.profiling.targets.ssh_connection import SshConnection
from mobile_bnn.profiling.targets.target import TargetLostError

if TYPE_CHECKING:
    import asyncssh

FILES = "~/.cache/mobile_bnn/files"  # by the SHA-256 of their contents
_LOCK = "~/.cache/mobile_bnn/lock"
_SIGN_OF_LIFE_S = 5
_END_S = 10  # for a process that is killed to end
_MOST_LINES_BEFORE = 200  # that a login may print
_BLOCK = 1 << 16

T = TypeVar("T")
Json = dict[str, Any]
Uploading = Callable[[str, int, int], None]


class MissingInterpreterError(MobileBnnError):
    """The board has no such Python."""


class TookTooLongError(MobileBnnError):
    """A process was ended because its time was over."""

    def __init__(self) -> None:
        super().__init__("a process took too long")


@dataclass(frozen=True)
class Ended:
    """How a process on a board ended: as of `subprocess`, with what the board's memory says of it."""

    returncode: int
    stdout: bytes
    stderr: bytes
    memory_kills: int
    memory_available: int
    memory_total: int


class Keeper:
    """What runs on the board for this session; it ends, and all that it started, with its connection.

    Args:
        connection: which stays the caller's to close.
        interpreter: the command of a Python, as a shell of the board reads it.

    Raises:
        MissingInterpreterError: there is no such Python.
        TargetLostError: the connection is lost.
    """

    def __init__(self, connection: SshConnection, interpreter: str) -> None:
        self._connection, self._url = connection, connection.url
        self._locked, self._lost = False, False
        self._running: tuple[int, asyncio.Task[Ended]] | None = None
        self._pid = 0
        self._writing: asyncio.Lock
        self._process: asyncssh.SSHClientProcess[bytes]
        self._signs: asyncio.Task[None]
        self.home: str = self._do(self._start(interpreter))

    def take_lock(self) -> None:
        """Takes the board for this session, once.

        Raises:
            MobileBnnError: another session has it.
        """
        if self._locked:
            return
        # Who a file name of another machine would not tell.
        who = f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}, since {time.strftime('%H:%M:%S')}"
        holder = self._do(self._ask({"do": "lock", "path": _LOCK, "who": who}))["held_by"]
        if holder is not None:
            raise MobileBnnError(
                f"another session uses {self._url}", why=holder, cure="Wait until it ends, or end it where it runs"
            )
        self._locked = True

    def put(self, path: Path, folder: str = FILES, name: str = "", watch: Uploading | None = None) -> str:
        """Lays a file on the board unless it is there: under `name`, or its SHA-256.

        Args:
            path: the file.
            folder: of the board.
            name: what it is called there.
            watch: is called with the file's name, the bytes that have gone, and all of them.

        Returns:
            Its full name on the board.

        Raises:
            TargetLostError: the connection is lost, or the board's disk is full.
            MobileBnnError: the board cannot write the file.
        """
        digest, size = sha256(path), path.stat().st_size
        header = {"do": "put", "path": f"{folder}/{name or digest}", "size": size, "sha256": digest}
        return self._do(self._put(path, header, watch))

    def remove(self, paths: Sequence[str]) -> int:
        """Removes files and folders of the board, and tells how many were there."""
        return int(self._do(self._ask({"do": "remove", "paths": list(paths)}))["removed"])

    def run(self, argv: Sequence[str], content: bytes = b"", limit_s: float | None = None) -> Ended:
        """Runs a process to its end.

        Whatever interrupts it, Ctrl-C above all, ends the process on the board and all that it started.

        Args:
            argv: its command and arguments; a ~ at the beginning is the home folder.
            content: its standard input.
            limit_s: after how many seconds it is ended.

        Raises:
            TookTooLongError: it took longer, and was ended.
            TargetLostError: the connection is lost; what runs there ends by itself.
            MobileBnnError: it could not be started.
        """
        return self._do(self._run(list(argv), content, limit_s), interrupted=lambda: self._do(self._end_run()))

    def close(self) -> None:
        """Ends what runs on the board for this session."""
        if not self._lost:
            with contextlib.suppress(MobileBnnError):
                self._do(self._close())
            self._lost = True

    def _do(self, doing: Coroutine[Any, Any, T], interrupted: Callable[[], None] | None = None) -> T:
        if self._lost:
            doing.close()
            raise ssh_errors.lost(self._url)
        return self._connection.wait_for(doing, interrupted)

    async def _start(self, interpreter: str) -> str:
        source = Path(keeper.__file__).read_text(encoding="utf-8")
        command = f"exec {interpreter} -I -S -c {shlex.quote(source)}"
        with self._naming_loss():
            self._writing = asyncio.Lock()
            self._process = await self._connection.ssh.create_process(command, encoding=None, request_pty=False)
            greeting = await self._greeting()
            told = "" if greeting else (await self._process.stderr.read()).decode("utf-8", "replace").strip()
        if greeting is None:
            if not self._process.is_closing() and self._process.exit_status is None:
                await self._process.wait_closed()
            raise MissingInterpreterError(
                f"there is no Python for mobile_bnn on {self._url}", why=told.splitlines()[-1] if told else ""
            )
        self._signs = asyncio.create_task(self._give_signs_of_life())
        self._pid = int(greeting["pid"])
        return str(greeting["home"])

    async def _greeting(self) -> Json | None:
        """The keeper's first line, after what a login may print; None where it did not start."""
        for _ in range(_MOST_LINES_BEFORE):
            line = (await self._process.stdout.readline()).decode("utf-8", "replace")
            if line.startswith(keeper.GREETING):
                return dict(json.loads(line[len(keeper.GREETING) :]))
            if not line.endswith("\n"):
                break
        return None

    async def _give_signs_of_life(self) -> None:
        with contextlib.suppress(self._connection.ssh_error, ConnectionError):  # who waits for a reply says it
            while True:
                await asyncio.sleep(_SIGN_OF_LIFE_S)
                await self._send({"do": "live"})

    async def _send(self, request: Mapping[str, Any], content: bytes = b"") -> None:
        async with self._writing:
            self._process.stdin.write(json.dumps(request).encode() + b"\n" + content)
            await self._process.stdin.drain()

    async def _reply(self) -> Json:
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return dict(json.loads(line))

    async def _ask(self, request: Mapping[str, Any]) -> Json:
        with self._naming_loss():
            await self._send(request)
            return await self._reply()

    async def _put(self, path: Path, header: Json, watch: Uploading | None) -> str:
        with self._naming_loss():
            async with self._writing:  # a sign of life among the bytes would become one of them
                self._process.stdin.write(json.dumps(header).encode() + b"\n")
                reply = await self._reply()
                if reply.get("is_there") is False:
                    await self._send_file(path, header["size"], watch)
                    reply = await self._reply()
        if "error" in reply:
            raise self._not_laid(path, header, reply)
        return str(reply["path"])

    async def _send_file(self, path: Path, size: int, watch: Uploading | None) -> None:
        sent = 0
        with path.open("rb") as file:
            while sent < size:
                block = file.read(min(_BLOCK, size - sent)) or bytes(min(_BLOCK, size - sent))  # it shrank: hash fails
                self._process.stdin.write(block)
                await self._process.stdin.drain()
                sent += len(block)
                if watch:
                    watch(path.name, sent, size)

    def _not_laid(self, path: Path, header: Json, reply: Json) -> MobileBnnError:
        if not reply["full"]:
            return MobileBnnError(f"{path.name} could not be laid on {self._url}", why=str(reply["error"]))
        needed, free = (-(-header["size"] // 10**5) / 10), reply["free"] // 10**5 / 10
        return TargetLostError(
            f"the disk of {self._url} is full",
            why=f"{path.name} needs {needed:.1f} MB, and {free:.1f} MB are free",
            cure="Make room there; `mbnn deploy URL --remove` removes all that mobile_bnn laid there",
        )

    async def _run(self, argv: list[str], content: bytes, limit_s: float | None) -> Ended:
        with self._naming_loss():
            await self._send({"do": "run", "argv": argv, "input": len(content)}, content)
            started = await self._reply()
            if started["pid"] is None:
                raise MobileBnnError(f"{argv[0]} could not be started on {self._url}", why=str(started["error"]))
            ending = asyncio.create_task(self._ended())
            ending.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may wait any more
            self._running = (int(started["pid"]), ending)
            try:
                return await asyncio.wait_for(asyncio.shield(ending), limit_s)
            except asyncio.TimeoutError as error:
                await self._end_run()
                raise TookTooLongError from error
            finally:
                self._running = None

    async def _ended(self) -> Ended:
        reply = await self._reply()
        out = await self._process.stdout.readexactly(reply["out"])
        told = await self._process.stdout.readexactly(reply["err"])
        memory = reply["memory_kills"], reply["memory_available"], reply["memory_total"]
        return Ended(reply["returncode"], out, told, *memory)

    async def _end_run(self) -> None:
        """Ends what runs, by the keeper or, where that does not answer, past it over a channel of its own."""
        if self._running is None:
            return
        pid, ending = self._running
        with self._naming_loss():
            await self._send({"do": "kill"})
            try:
                await asyncio.wait_for(asyncio.shield(ending), _END_S)
            except asyncio.TimeoutError:
                await self._connection.ssh.run(f"kill -KILL -- -{pid} {self._pid}", request_pty=False)
                self._lost = True

    async def _close(self) -> None:
        self._signs.cancel()
        with self._naming_loss():
            self._process.stdin.write_eof()
            try:
                await asyncio.wait_for(self._process.wait_closed(), _END_S)
            except asyncio.TimeoutError:
                await self._connection.ssh.run(f"kill -KILL {self._pid}", request_pty=False)

    @contextlib.contextmanager
    def _naming_loss(self) -> Iterator[None]:
        """Lets what asyncssh raises when a connection ends be a lost target, which it stays."""
        try:
            yield
        except (self._connection.ssh_error, ConnectionError, EOFError) as error:
            self._lost = True
            raise ssh_errors.lost(self._url) from error
