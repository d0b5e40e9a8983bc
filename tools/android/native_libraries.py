"""Builds libmobile_bnn_jni.so: for Android's two 64-bit ABIs without the NDK, and for the JVM of this machine.

usage: python tools/android/native_libraries.py FOLDER [ABI ...]     (ABI: arm64-v8a, x86_64 or host; all by default)
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from programs import require, run

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import atomic_file

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "android_demo/library/src/main/cpp"
LIBRARY = "libmobile_bnn_jni.so"
ABIS = ("arm64-v8a", "x86_64")
HOST = "host"


def build(folder: Path, abi: str) -> Path:
    """Builds the library from its sources.

    Args:
        folder: the library is put into FOLDER/ABI.
        abi: one of Android's, or "host" for this machine.

    Returns:
        The library; it is written whole or not at all.

    Raises:
        MobileBnnError: the compiler, or the JDK's jni.h, is missing or fails.
    """
    _put_own_programs_first()
    options = ["-DCMAKE_BUILD_TYPE=Release", f"-DMBNN_JNI_INCLUDE={_jni_headers()}"]
    if abi != HOST:
        toolchain = ROOT / "native/cmake/android.cmake"
        options += [f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", f"-DANDROID_ABI={abi}"]
    with tempfile.TemporaryDirectory() as work:
        run(["cmake", "-G", "Ninja", "-S", SOURCE, "-B", work, *options], f"configuring {LIBRARY} for {abi}")
        run(["cmake", "--build", work], f"building {LIBRARY} for {abi}")
        target = folder / abi / LIBRARY
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as part:
            shutil.copyfile(Path(work) / LIBRARY, part)
    return target


def _put_own_programs_first() -> None:
    """Lets cmake, ninja and zig of the virtual environment be found."""
    own = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if path.split(os.pathsep)[0] != own:
        os.environ["PATH"] = os.pathsep.join((own, path))


def _jni_headers() -> Path:
    require("javac")
    compiler = shutil.which("javac")
    home = os.environ.get("JAVA_HOME")
    folder = Path(home) if home else Path(str(compiler)).resolve().parents[1]
    headers = folder / "include"
    if not (headers / "jni.h").is_file():
        raise MobileBnnError(
            f"there is no jni.h in {headers}",
            why="that JDK has no headers",
            cure="Let JAVA_HOME name another JDK",
        )
    return headers


def main(arguments: Sequence[str]) -> int:
    """Builds what the command line names; returns the exit code."""
    if not arguments or not set(arguments[1:]) <= {*ABIS, HOST}:
        print(__doc__.split("\n", 2)[2].strip(), file=sys.stderr)
        return 2
    try:
        for abi in arguments[1:] or (*ABIS, HOST):
            library = build(Path(arguments[0]), abi)
            print(f"{library} ({library.stat().st_size} bytes)")
    except MobileBnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
