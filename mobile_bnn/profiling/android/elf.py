"""Reads of a program or library for which processor it is, and for which page size it is laid out."""

import struct
from dataclasses import dataclass
from pathlib import Path

_MACHINES = {183: "arm64-v8a", 62: "x86_64", 40: "armeabi-v7a", 3: "x86"}
_LOAD = 1
_HEADER = struct.Struct("<4sB11xHHIQQQIHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")


@dataclass(frozen=True)
class Binary:
    """What an ELF file says of itself.

    Attributes:
        abi: Android's name of the processor, or "an unknown processor".
        page_bytes: the largest page size that it can be loaded with; 0 for a file of 32 bits.
    """

    abi: str
    page_bytes: int


def read_binary(path: Path) -> Binary | None:
    """What the file says; None if it is not a program or library, or is cut short."""
    try:
        with path.open("rb") as file:
            magic, bits, _, machine, _, _, offset, _, _, _, _, count = _HEADER.unpack(file.read(_HEADER.size))
            if magic != b"\x7fELF":
                return None
            abi = _MACHINES.get(machine, "an unknown processor")
            if bits != 2:
                return Binary(abi, 0)
            file.seek(offset)
            segments = [_SEGMENT.unpack(file.read(_SEGMENT.size)) for _ in range(count)]
    except struct.error:
        return None
    return Binary(abi, min((each[7] for each in segments if each[0] == _LOAD), default=0))
