"""Looks at a finished APK as Android will: what must hold before it is handed out."""

import io
import re
import struct
import zipfile
from pathlib import Path

from elftools.elf.elffile import ELFFile
from programs import run
from resources import MIN_SDK, TARGET_SDK

from mobile_bnn.errors import MobileBnnError

MOST_BYTES = 12_000_000
ABIS = ("arm64-v8a", "x86_64")
PACKAGE = "org.mobilebnn.demo"
_PAGE = 0x4000
_FOREIGN = "libtensorflowlite_jni.so"  # built by TensorFlow for pages of 4 KB, and cannot be patched


def check(apk: Path) -> list[str]:
    """Refuses an APK that Android would refuse, or that asks for more than it should.

    Returns:
        What a user should know of it all the same, a line each.

    Raises:
        MobileBnnError: says which gate it does not pass.
    """
    run(["zipalign", "-c", "-p", "4", apk], "checking the alignment")
    _check_badging(run(["aapt2", "dump", "badging", apk], "reading the manifest"))
    _refuse(apk.stat().st_size > MOST_BYTES, f"it has {apk.stat().st_size} bytes, over {MOST_BYTES}")
    notes = []
    with zipfile.ZipFile(apk) as archive:
        names = set(archive.namelist())
        for abi in ABIS:
            for library in ("libmobile_bnn_jni.so", _FOREIGN):
                _refuse(f"lib/{abi}/{library}" not in names, f"it lacks {library} for {abi}")
        for entry in archive.infolist():
            if entry.filename.endswith(".so"):
                notes += _check_library(archive, entry)
    return notes


def _refuse(broken: bool, why: str) -> None:
    if broken:
        raise MobileBnnError("the APK is not what it should be", why=why)


def _check_badging(badging: str) -> None:
    permissions = set(re.findall(r"^uses-permission[^:]*: name='([^']+)'", badging, re.MULTILINE))
    _refuse(permissions != {"android.permission.CAMERA"}, f"it asks for {', '.join(sorted(permissions))}")
    _refuse(f"package: name='{PACKAGE}'" not in badging, f"its package is not {PACKAGE}")
    for key, value in (("sdkVersion", MIN_SDK), ("targetSdkVersion", TARGET_SDK)):
        _refuse(f"{key}:'{value}'" not in badging, f"its {key} is not {value}")
    _refuse("launchable-activity" not in badging, "no activity can be launched")
    languages = re.findall(r"^locales: (.*)$", badging, re.MULTILINE)
    _refuse(not languages or "'de'" not in languages[0], "it has no German texts")


def _check_library(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> list[str]:
    """Stored at a page's beginning, so that Android maps it; its segments aligned to pages of 16 KB."""
    _refuse(entry.compress_type != zipfile.ZIP_STORED, f"{entry.filename} is compressed")
    assert archive.fp is not None
    archive.fp.seek(entry.header_offset + 26)
    name, extra = struct.unpack("<HH", archive.fp.read(4))
    _refuse((entry.header_offset + 30 + name + extra) % _PAGE != 0, f"{entry.filename} does not begin at a page")
    elf = ELFFile(io.BytesIO(archive.read(entry)))
    least = min(segment["p_align"] for segment in elf.iter_segments("PT_LOAD"))
    if least >= _PAGE:
        return []
    _refuse(not entry.filename.endswith(_FOREIGN), f"{entry.filename} is aligned to {least} bytes, not to 16 KB")
    return [f"{entry.filename} is aligned to pages of {least // 1024} KB: it does not load on phones with 16 KB pages"]
