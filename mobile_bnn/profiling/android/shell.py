"""Runs commands in the phone's shell, through shell protocol 2: exit code, standard error and standard input."""

import shlex
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mobile_bnn.profiling.android.device import PATIENCE_S, Device

if TYPE_CHECKING:
    from adbutils import AdbConnection

_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_HEADER = struct.Struct("<BI")


@dataclass(frozen=True)
class Result:
    """How a command ended: 128 and more are 128 plus the number of the signal that ended it."""

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def text(self) -> str:
        """Its standard output."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def complaint(self) -> str:
        """The last line of its standard error."""
        lines = self.stderr.decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def run(
    device: Device,
    command: Sequence[str],
    *,
    stdin: bytes = b"",
    hold_stdin: bool = False,
    limit_s: float = PATIENCE_S,
) -> Result:
    """Runs a command and waits for its end. An exception meanwhile closes the connection, which hangs up on it.

    Args:
        device: where.
        command: the program and its arguments, as they are; the shell's characters mean nothing in them.
        stdin: what it reads.
        hold_stdin: keep its standard input open until it ends, so that it sees a lost connection as its end.
        limit_s: after how many seconds the phone is taken to be lost.

    Raises:
        TargetLostError: the connection is lost, or the command did not end in time.
    """
    began = time.monotonic()
    output = {_STDOUT: bytearray(), _STDERR: bytearray()}
    with device.open(service(command), limit_s) as connection:
        if stdin:
            send_stdin(connection, stdin)
        if not hold_stdin:
            connection.conn.sendall(_HEADER.pack(_CLOSE_STDIN, 0))
        while True:
            connection.conn.settimeout(max(0.01, began + limit_s - time.monotonic()))
            kind, content = read_packet(connection)
            if kind == _EXIT:
                spent = time.monotonic() - began
                return Result(content[0], bytes(output[_STDOUT]), bytes(output[_STDERR]), spent)
            if kind in output:
                output[kind] += content


def service(command: Sequence[str]) -> str:
    """What adbd is asked for; its shell becomes the program, which is hung up on when this computer goes."""
    return f"shell,v2,raw:exec {shlex.join(command)}"


def send_stdin(connection: "AdbConnection", content: bytes) -> None:
    """Writes to the command's standard input."""
    connection.conn.sendall(_HEADER.pack(_STDIN, len(content)) + content)


def read_packet(connection: "AdbConnection") -> tuple[int, bytes]:
    """The next packet: what it is, and its content.

    Raises:
        EOFError: the connection is lost.
    """
    kind, size = _HEADER.unpack(connection.read_exact(_HEADER.size))
    return kind, connection.read_exact(size)
