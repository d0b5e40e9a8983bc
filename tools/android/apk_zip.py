"""Writes an APK as a zip of fixed dates and order: the same content gives the same bytes.

What Android maps into memory is stored, not deflated, and aligned: native libraries to a page of 16 KiB, resources.arsc
and models to 4 bytes. The padding is in the extra field that Android's own tools use (0xD935), so that apksigner, which
moves entries, aligns them again.
"""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from mobile_bnn.files import atomic_file

PAGE = 16384
_ALIGNMENT_FIELD = 0xD935
_DATE = (1981, 1, 1, 1, 1, 2)  # as Android's build tools write; 1980-01-01 confuses some unzip programs
_STORED = (".so", ".arsc", ".tflite", ".png", ".webp")
_LOCAL_HEADER = 30  # bytes before the name


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files, by name, atomically."""
    with (
        atomic_file(path) as part,
        part.open("wb") as stream,
        zipfile.ZipFile(stream, "w") as archive,
    ):
        for name in sorted(files, key=_order):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = 0, 0
            stored = name.endswith(_STORED)
            if stored:
                entry.extra = _padding(stream.tell() + _LOCAL_HEADER + len(name.encode()), _alignment(name))
            method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name], method, compresslevel=9)


def _order(name: str) -> tuple[int, str]:
    """The manifest and the code first, native libraries last: what a reader of the list looks for."""
    first = ("AndroidManifest.xml", "classes.dex", "resources.arsc")
    return (first.index(name) if name in first else 8 if name.startswith("lib/") else 4, name)


def _alignment(name: str) -> int:
    return PAGE if name.endswith(".so") else 4


def _padding(unpadded: int, alignment: int) -> bytes:
    """The extra field after which the content begins at a multiple of `alignment`."""
    least = struct.calcsize("<HHH")
    zeros = -(unpadded + least) % alignment
    return struct.pack("<HHH", _ALIGNMENT_FIELD, 2 + zeros, alignment) + bytes(zeros)
