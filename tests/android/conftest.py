"""What the tests of the Android library share: libraries, cases, and the programs that run them here."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.android.libraries import artifact as tflite_archive
from tests.support.packages import need
from tests.support.shared import Once
from tests.support.tools import ENVIRONMENT, ROOT

TOOLS = ROOT / "tools/android"


def tool(*command: object) -> "subprocess.CompletedProcess[str]":
    """Runs a script of tools/android, which must succeed."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def jni_libraries(once: Once) -> Path:
    """A folder with libmobile_bnn_jni.so in arm64-v8a, x86_64 and host."""
    need("openjdk-17-jdk-headless", "jni.h is not here")
    return once("jni libraries", lambda folder: tool(TOOLS / "native_libraries.py", folder))


@pytest.fixture(scope="session")
def archives(once: Once) -> Path:
    """What `make aar` builds."""
    need("openjdk-17-jdk-headless", "the Java sources cannot be compiled")
    need("maven", "what they are compiled against cannot be fetched")
    return once("aar", lambda folder: tool(TOOLS / "aar.py", folder))


@pytest.fixture(scope="session")
def cases(once: Once) -> Path:
    """A folder with a case for each model of the zoo, as tools/android/cases.py writes them."""
    return once("android cases", lambda folder: tool(TOOLS / "cases.py", folder))


@pytest.fixture(scope="session")
def tflite_libraries(once: Once) -> Path:
    """A folder with TensorFlow Lite's own library in arm64-v8a and x86_64, and its headers, out of its .aar."""

    def make(folder: Path) -> None:
        with zipfile.ZipFile(_tflite_archive()) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith("headers/")])
            for abi in ("arm64-v8a", "x86_64"):
                (folder / abi).mkdir()
                library = archive.read(f"jni/{abi}/libtensorflowlite_jni.so")
                (folder / abi / "libtensorflowlite_jni.so").write_bytes(library)

    return once("tflite for android", make)


def _tflite_archive() -> Path:
    need("maven", "TensorFlow Lite for Android cannot be fetched")
    try:
        return tflite_archive(lambda what: None)
    except MobileBnnError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def java_vm(once: Once) -> Path:
    """A folder with java_vm, and Android's libraries that musl lacks, for aarch64 and x86_64."""
    javac = need("openjdk-17-jdk-headless", "jni.h is not here")
    headers = javac.resolve().parents[1] / "include"

    def make(folder: Path) -> None:
        for arch in ("aarch64", "x86_64"):
            (folder / arch).mkdir()
            program = ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-rdynamic")
            program += ("-isystem", "native/cmake/include", "-isystem", headers, "-isystem", headers / "linux")
            sources = sorted((ROOT / "tests/android/vm").glob("*.cc"))
            compile_for_musl(arch, *program, *sources, "-o", folder / arch / "java_vm")
            for name in ("libbionic.so", "liblog.so"):
                compile_for_musl(arch, "-shared", "tests/devices/phone/bionic.c", "-o", folder / arch / name)

    return once("java_vm", make)


def compile_for_musl(arch: str, *options: object, compiler: str = "cc") -> None:
    """Runs the compiler, which must succeed, for "aarch64" or "x86_64" and musl, which stands in for Android's libc."""
    command = ["python-zig", compiler, "-target", f"{arch}-linux-musl", "-dynamic", "-O1", *map(str, options)]
    made = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
