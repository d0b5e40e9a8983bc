"""Finding what a phone needs: what is missing is told with its cure, and a wrong file is refused."""

import struct
import zipfile
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profiling.android import device, libraries
from mobile_bnn.profiling.android.elf import Binary, read_binary
from mobile_bnn.profiling.android.layout import DELEGATE, RUNNER, TFLITE


def elf(machine: int = 183, page: int = 16384, bits: int = 2) -> bytes:
    """The headers of a library with one segment to load."""
    header = struct.pack("<4sB11xHHIQQQIHHH", b"\x7fELF", bits, 3, machine, 1, 0, 64, 0, 0, 64, 56, 1).ljust(64, b"\0")
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 0, 0, page)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a Maven repository, and a PATH without Maven."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def maven(home: Path, script: str) -> None:
    """Puts a Maven into the PATH."""
    (home / "bin" / "mvn").write_text(f"#!/bin/sh\n{script}\n")
    (home / "bin" / "mvn").chmod(0o755)


def test_what_a_library_says_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    for content, expected in (
        (elf(), Binary("arm64-v8a", 16384)),
        (elf(62, 4096), Binary("x86_64", 4096)),
        (elf(40, bits=1), Binary("armeabi-v7a", 0)),
        (elf(243), Binary("an unknown processor", 16384)),
        (b"not a library" * 20, None),
        (elf()[:100], None),
        (b"", None),
    ):
        path.write_bytes(content)
        assert read_binary(path) == expected


def test_our_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(libraries.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(MobileBnnError) as error:
        libraries.our_files("arm64-v8a")
    assert str(error.value) == (
        f"there is no {RUNNER} for arm64-v8a: {tmp_path}/arm64-v8a has none. "
        "Run `make android` in a checkout of mobile_bnn, or let MBNN_ANDROID_DIR name what it made"
    )
    (tmp_path / "arm64-v8a").mkdir()
    for name in (RUNNER, DELEGATE):
        (tmp_path / "arm64-v8a" / name).write_bytes(elf())
    assert [path.name for path in libraries.our_files("arm64-v8a")] == [RUNNER, DELEGATE]
    (tmp_path / "arm64-v8a" / DELEGATE).write_bytes(elf(62))
    with pytest.raises(UsageError, match=f"{DELEGATE} cannot run on a phone with arm64-v8a: it is for x86_64"):
        libraries.our_files("arm64-v8a")


def test_a_library_and_an_archive_that_the_user_names(tmp_path: Path) -> None:
    (tmp_path / "lib.so").write_bytes(elf())
    assert libraries.tflite_library("arm64-v8a", tmp_path / "lib.so", tmp_path) == tmp_path / "lib.so"
    for member in (f"jni/arm64-v8a/{TFLITE}", "jni/arm64-v8a/libLiteRt.so"):
        with zipfile.ZipFile(tmp_path / "x.aar", "w") as archive:
            archive.writestr(member, elf())
        assert libraries.tflite_library("arm64-v8a", tmp_path / "x.aar", tmp_path).read_bytes() == elf()
        with pytest.raises(UsageError, match=r"x\.aar has no library for x86_64: there is no jni/x86_64/"):
            libraries.tflite_library("x86_64", tmp_path / "x.aar", tmp_path)


def test_no_maven(home: Path) -> None:
    with pytest.raises(MobileBnnError) as error:
        libraries.tflite_library("arm64-v8a", None, home)
    assert str(error.value) == (
        "the library of TensorFlow Lite for Android cannot be had: Maven (mvn) is not installed. "
        "Run `mvn dependency:get -Dartifact=org.tensorflow:tensorflow-lite:2.16.1:aar`, "
        "or name an .aar or .so of it with --tflite FILE"
    )


def test_maven_fails(home: Path) -> None:
    maven(home, "echo '[ERROR] Could not transfer artifact'; echo '[ERROR] more'; exit 1")
    with pytest.raises(MobileBnnError, match=r"cannot be had: \[ERROR\] Could not transfer artifact\. Run `mvn"):
        libraries.tflite_library("arm64-v8a", None, home)
    maven(home, "exit 0")
    with pytest.raises(MobileBnnError, match="cannot be had: Maven put it elsewhere"):
        libraries.tflite_library("arm64-v8a", None, home)


def test_another_archive_than_the_one_that_was_tested(home: Path) -> None:
    told: list[str] = []
    folder = home / ".m2/repository/org/tensorflow/tensorflow-lite/2.16.1"
    maven(home, f"/bin/mkdir -p {folder}; echo other >{folder}/tensorflow-lite-2.16.1.aar")
    with pytest.raises(MobileBnnError, match=r"is not the TensorFlow Lite 2\.16\.1 that was tested: its SHA-256"):
        libraries.tflite_library("arm64-v8a", None, home, told.append)
    assert told == ["getting TensorFlow Lite through Maven"]


def test_adbutils_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "find_spec", lambda name: None)
    with pytest.raises(MobileBnnError) as error:
        device.find_device()
    assert str(error.value) == (
        "phones cannot be reached: the package adbutils is missing. pip install 'mobile-bnn[devices]'"
    )
