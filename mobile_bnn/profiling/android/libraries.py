"""Finds what a phone needs: our program and library, which `make android` builds, and TensorFlow Lite's library."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import mobile_bnn
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profiling.android.elf import read_binary
from mobile_bnn.profiling.android.layout import DELEGATE, RUNNER, TFLITE

FOLDER_VARIABLE = "MBNN_ANDROID_DIR"
ARTIFACT = "org.tensorflow:tensorflow-lite:2.16.1:aar"
ARTIFACT_SHA256 = "34b065817e294e7dd3569504e8b9454938ceae453b6a459da54d5f6e45d3c94e"
_IN_REPOSITORY = Path(".m2/repository/org/tensorflow/tensorflow-lite/2.16.1/tensorflow-lite-2.16.1.aar")
_FETCHING_S = 600

Saying = Callable[[str], None]


def our_files(abi: str) -> list[Path]:
    """The program that measures and the library with the binary operators, for an ABI.

    Raises:
        MobileBnnError: they were not built.
    """
    given = os.environ.get(FOLDER_VARIABLE)
    folder = (Path(given) if given else Path(mobile_bnn.__file__).parents[1] / "dist" / "android") / abi
    found = [folder / RUNNER, folder / DELEGATE]
    for path in found:
        if not path.is_file():
            raise MobileBnnError(
                f"there is no {path.name} for {abi}",
                why=f"{folder} has none",
                cure=f"Run `make android` in a checkout of mobile_bnn, or let {FOLDER_VARIABLE} name what it made",
            )
        check_binary(path, abi)
    return found


def tflite_library(abi: str, given: Path | None, work: Path, say: Saying = lambda what: None) -> Path:
    """TensorFlow Lite's library for an ABI: out of a file that the user names, or out of the artifact on Maven.

    Args:
        abi: of the phone.
        given: an .aar, .jar or .so; None: the local Maven repository, which Maven is asked to fill where it has none.
        work: a folder for what is unpacked.
        say: is called with what takes long.

    Raises:
        UsageError: there is no such file, or it has no such library.
        MobileBnnError: it cannot be had, or the artifact is not the one that was tested.
    """
    archive = given if given is not None else artifact(say)
    if not archive.is_file():
        raise UsageError(f"there is no file {archive}")
    library = _unpacked(archive, abi, work / TFLITE) if zipfile.is_zipfile(archive) else archive
    check_binary(library, abi, shown=archive)
    return library


def check_binary(path: Path, abi: str, shown: Path | None = None) -> None:
    """Refuses a file that is not a program or library for an ABI.

    Raises:
        UsageError: it is none, or is for another processor.
    """
    binary = read_binary(path)
    if binary is None or binary.abi != abi:
        why = f"it is for {binary.abi}" if binary else "it is not a program or library for Android"
        raise UsageError(f"{shown or path} cannot run on a phone with {abi}", why=why)


def _unpacked(archive: Path, abi: str, library: Path) -> Path:
    """The library of TensorFlow Lite or LiteRT in an Android archive."""
    names = [f"jni/{abi}/{TFLITE}", f"jni/{abi}/libLiteRt.so", f"lib/{abi}/{TFLITE}"]
    with zipfile.ZipFile(archive) as opened:
        name = next((each for each in names if each in opened.namelist()), None)
        if name is None:
            raise UsageError(f"{archive} has no library for {abi}", why=f"there is no {names[0]} in it")
        with opened.open(name) as source, library.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    return library


def artifact(say: Saying) -> Path:
    """The archive in the local Maven repository, fetched where it is missing.

    Raises:
        MobileBnnError: it cannot be had, or is not the one that was tested.
    """
    path = Path.home() / _IN_REPOSITORY
    if not path.is_file():
        say("getting TensorFlow Lite through Maven")
        _fetch()
    if not path.is_file():
        raise _cannot_be_had("Maven put it elsewhere")
    if sha256(path) != ARTIFACT_SHA256:
        raise MobileBnnError(
            f"{path} is not the TensorFlow Lite 2.16.1 that was tested",
            why=f"its SHA-256 is not {ARTIFACT_SHA256}",
            cure="Delete it, and run this again",
        )
    return path


def _fetch() -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise _cannot_be_had("Maven (mvn) is not installed")
    command = [maven, "--batch-mode", "--quiet", "dependency:get", f"-Dartifact={ARTIFACT}", "-Dtransitive=false"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_FETCHING_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _cannot_be_had(f"Maven took longer than {_FETCHING_S} seconds") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise _cannot_be_had(lines[0] if lines else "Maven failed")


def _cannot_be_had(why: str) -> MobileBnnError:
    return MobileBnnError(
        "the library of TensorFlow Lite for Android cannot be had",
        why=why,
        cure=f"Run `mvn dependency:get -Dartifact={ARTIFACT}`, or name an .aar or .so of it with --tflite FILE",
    )
