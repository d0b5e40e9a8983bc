"""How the APK is built: the deterministic zip, what is missing told in one line, the gates that refuse."""

import importlib
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mobile_bnn.errors import MobileBnnError
from tests.support.tools import ROOT

Tool = Callable[[str], ModuleType]
FILES = {
    "lib/x86_64/libb.so": b"\x7fELF" + bytes(100),
    "AndroidManifest.xml": b"manifest" * 100,
    "assets/models/net.tflite": b"TFL3" * 99,
    "lib/arm64-v8a/liba.so": b"\x7fELF" * 9,
    "resources.arsc": b"resources",
    "classes.dex": b"dex" * 500,
}


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tool]:
    """Imports a file of tools/android, which other tests do not see."""
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "android"))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(ROOT / "tools" / "android")):
            del sys.modules[name]


def entries(path: Path) -> Iterator[tuple[zipfile.ZipInfo, int]]:
    """Each entry with where its content begins."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            archive.fp.seek(entry.header_offset + 26)
            name, extra = struct.unpack("<HH", archive.fp.read(4))
            yield entry, entry.header_offset + 30 + name + extra


def test_the_zip_is_the_same_whatever_order_files_come_in(tool: Tool, tmp_path: Path) -> None:
    write = tool("apk_zip").write
    write(tmp_path / "a.apk", FILES)
    write(tmp_path / "b.apk", dict(reversed(FILES.items())))
    assert (tmp_path / "a.apk").read_bytes() == (tmp_path / "b.apk").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.apk") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES


def test_what_android_maps_is_stored_and_aligned(tool: Tool, tmp_path: Path) -> None:
    tool("apk_zip").write(tmp_path / "a.apk", FILES)
    for entry, begin in entries(tmp_path / "a.apk"):
        stored = entry.compress_type == zipfile.ZIP_STORED
        assert stored == entry.filename.endswith((".so", ".arsc", ".tflite"))
        if entry.filename.endswith(".so"):
            assert begin % 16384 == 0
        elif stored:
            assert begin % 4 == 0


def test_missing_packages_are_named_in_one_line(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MobileBnnError) as raised:
        tool("programs").require("aapt2", "javac", "zipalign")
    message = str(raised.value)
    assert "\n" not in message
    assert message.endswith("Run: apt-get install aapt openjdk-17-jdk-headless zipalign")


def test_what_a_program_complains_about_is_told(tool: Tool) -> None:
    with pytest.raises(MobileBnnError, match=r"looking failed: sh says\n  nothing there"):
        tool("programs").run(["sh", "-c", "echo nothing there >&2; exit 3"], "looking")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("uses-permission: name='android.permission.INTERNET'\n", "it asks for .*INTERNET"),
        ("sdkVersion:'21'", "its sdkVersion is not 26"),
        ("locales: '--_--' 'fr'", "it has no German texts"),
        ("package: name='com.example'", "its package is not org.mobilebnn.demo"),
    ],
)
def test_a_manifest_that_asks_for_more_is_refused(tool: Tool, change: str, why: str) -> None:
    gates = tool("apk_gates")
    good = (
        "package: name='org.mobilebnn.demo' versionCode='1'\nsdkVersion:'26'\ntargetSdkVersion:'35'\n"
        "uses-permission: name='android.permission.CAMERA'\nlaunchable-activity: name='x'\nlocales: '--_--' 'de'\n"
    )
    gates._check_badging(good)
    key = change.split(":")[0]
    lines = [line for line in good.splitlines() if not line.startswith(f"{key}:") or key == "uses-permission"]
    with pytest.raises(MobileBnnError, match=why):
        gates._check_badging("\n".join([*lines, change]))


def test_a_library_for_small_pages_is_refused(tool: Tool, tmp_path: Path) -> None:
    gates = tool("apk_gates")
    elf = bytearray(64 + 56)
    elf[:16] = b"\x7fELF\x02\x01\x01" + bytes(9)
    struct.pack_into("<HHIQQQIHHHHHH", elf, 16, 3, 183, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    struct.pack_into("<IIQQQQQQ", elf, 64, 1, 5, 0, 0, 0, 120, 120, 0x1000)
    tool("apk_zip").write(tmp_path / "a.apk", {"lib/arm64-v8a/libmobile_bnn_jni.so": bytes(elf)})
    with (
        zipfile.ZipFile(tmp_path / "a.apk") as archive,
        pytest.raises(MobileBnnError, match="is aligned to 4096 bytes, not to 16 KB"),
    ):
        gates._check_library(archive, archive.infolist()[0])
    struct.pack_into("<Q", elf, 64 + 48, 0x4000)
    tool("apk_zip").write(tmp_path / "b.apk", {"lib/arm64-v8a/libmobile_bnn_jni.so": bytes(elf)})
    with zipfile.ZipFile(tmp_path / "b.apk") as archive:
        assert gates._check_library(archive, archive.infolist()[0]) == []
