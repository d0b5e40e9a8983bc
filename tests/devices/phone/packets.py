"""The packets of adb's transport protocol: a header of six little-endian words, then the payload."""

import socket
import struct
from dataclasses import dataclass

CNXN, AUTH, OPEN, OKAY, WRTE, CLSE = (int.from_bytes(name, "little") for name in (
    b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"WRTE", b"CLSE"))  # fmt: skip
VERSION = 0x01000001  # from this version on nobody checks the sum of the payload
MAX_PAYLOAD = 256 * 1024

_HEADER = struct.Struct("<6I")
_ALL_BITS = 0xFFFFFFFF


@dataclass(frozen=True)
class Packet:
    """A command with its two arguments; what they mean depends on the command."""

    command: int
    first: int
    second: int
    payload: bytes = b""

    def encode(self) -> bytes:
        """As it goes over the wire."""
        size, total = len(self.payload), sum(self.payload) & _ALL_BITS
        header = _HEADER.pack(self.command, self.first, self.second, size, total, self.command ^ _ALL_BITS)
        return header + self.payload


def read_packet(connection: socket.socket) -> Packet:
    """The next packet.

    Raises:
        ConnectionError: the other side has gone, or sends something else.
    """
    command, first, second, size, _, magic = _HEADER.unpack(read_exactly(connection, _HEADER.size))
    if magic != command ^ _ALL_BITS or size > MAX_PAYLOAD:
        raise ConnectionError("not a packet of adb")
    return Packet(command, first, second, read_exactly(connection, size))


def read_exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes.

    Raises:
        ConnectionError: the other side has gone before.
    """
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionError("the host has gone")
        parts += part
    return bytes(parts)
