"""The services `shell:` and `exec:`: a command; by shell protocol 2 with its exit code, stderr and stdin."""

import socket
import struct
import subprocess
import threading
from contextlib import suppress

from tests.devices.phone.stream import Stream, StreamClosedError
from tests.devices.phone.system import System

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN = range(5)
_HEADER = struct.Struct("<BI")


class ShellService:
    """Runs commands on a phone. As in the real one, the child's stdin and stdout are one and the same socket."""

    def __init__(self, system: System) -> None:
        self._system = system

    def __call__(self, stream: Stream, asked: str) -> None:
        """Runs what was asked for, "shell,v2,raw:ls", until it ends or the host goes."""
        options, _, command = asked.partition(":")
        session = _Session(stream, "v2" in options.split(","))
        session.run(self._system, command)


class _Session:
    """One command."""

    def __init__(self, stream: Stream, protocol: bool) -> None:
        self._stream, self._protocol = stream, protocol
        self._writing = threading.Lock()

    def run(self, system: System, command: str) -> None:
        ours, theirs = socket.socketpair()
        ours_too, errors = socket.socketpair() if self._protocol else (None, theirs)
        process = system.start(command, theirs.fileno(), theirs.fileno(), errors.fileno())
        theirs.close()
        errors.close()
        pumps = [threading.Thread(target=self._pump, args=(STDOUT, ours), daemon=True)]
        if ours_too:
            pumps.append(threading.Thread(target=self._pump, args=(STDERR, ours_too), daemon=True))
        for pump in pumps:
            pump.start()
        feeder = threading.Thread(target=self._feed, args=(ours,), daemon=True)
        feeder.start()
        waiter = threading.Thread(target=self._end, args=(process, pumps), daemon=True)
        waiter.start()
        while waiter.is_alive() and not self._stream.closed.wait(0.02):
            pass
        if self._stream.closed.is_set():
            system.hang_up(process)
        else:
            waiter.join()
        for each in (ours, ours_too):
            if each:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        process.wait()

    def _pump(self, kind: int, source: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                self._tell(kind, content)

    def _tell(self, kind: int, content: bytes) -> None:
        with self._writing:
            self._stream.write(_HEADER.pack(kind, len(content)) + content if self._protocol else content)

    def _feed(self, sink: socket.socket) -> None:
        with suppress(OSError):
            while True:
                if not self._protocol:
                    sink.sendall(self._stream.read_some())
                    continue
                kind, size = _HEADER.unpack(self._stream.read(_HEADER.size))
                content = self._stream.read(size)
                if kind == STDIN:
                    sink.sendall(content)
                elif kind == CLOSE_STDIN:
                    sink.shutdown(socket.SHUT_WR)

    def _end(self, process: "subprocess.Popen[bytes]", pumps: list[threading.Thread]) -> None:
        """Tells the exit code when all output is told, which whoever holds the child's stdin or stdout delays."""
        for pump in pumps:
            pump.join()
        code = process.wait()
        if self._protocol:
            with suppress(StreamClosedError):
                self._tell(EXIT, bytes([code & 0xFF if code >= 0 else 0x80 | -code]))
