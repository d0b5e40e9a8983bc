"""Builds mobile-bnn.aar, its sources and its Javadoc, without Google's SDK and NDK; repeated, it gives the same bytes.

usage: python tools/android/aar.py FOLDER
"""

import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import apk_zip
import artifacts
import native_libraries
import prefab
from dex import compile_java
from programs import require, run

import mobile_bnn
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import sha256

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "android_demo" / "library"
SOURCES = LIBRARY / "src/main/java"
HEADERS = ROOT / "native" / "include"
AAR, SOURCES_JAR, JAVADOC_JAR = "mobile-bnn.aar", "mobile-bnn-sources.jar", "mobile-bnn-javadoc.jar"


def build(folder: Path) -> list[Path]:
    """Builds the archives into a folder.

    Returns:
        The .aar, the sources and the Javadoc; each is written whole or not at all.

    Raises:
        MobileBnnError: says which step failed, and why.
    """
    require("javac", "mvn")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        class_path = [artifacts.fetch(artifacts.FRAMEWORK), *_runtime_classes(work)]
        apk_zip.write(folder / AAR, _archive(work, class_path))
        apk_zip.write(folder / SOURCES_JAR, {"META-INF/LICENSE": _license(), **dict(_files(SOURCES))})
        apk_zip.write(folder / JAVADOC_JAR, {"META-INF/LICENSE": _license(), **_javadoc(work / "javadoc", class_path)})
    return [folder / each for each in (AAR, SOURCES_JAR, JAVADOC_JAR)]


def _runtime_classes(work: Path) -> Iterator[Path]:
    """The Java classes of TensorFlow Lite, which the library is compiled against."""
    for artifact in (artifacts.TFLITE, artifacts.TFLITE_API):
        jar = work / f"{artifact.name}.jar"
        with zipfile.ZipFile(artifacts.fetch(artifact)) as archive:
            jar.write_bytes(archive.read("classes.jar"))
        yield jar


def _archive(work: Path, class_path: Sequence[Path]) -> dict[str, bytes]:
    compile_java([SOURCES], class_path, work / "classes")
    apk_zip.write(work / "classes.jar", dict(_files(work / "classes")))
    files = {
        "AndroidManifest.xml": (LIBRARY / "src/main/AndroidManifest.xml").read_bytes(),
        "classes.jar": (work / "classes.jar").read_bytes(),
        "proguard.txt": (LIBRARY / "proguard.txt").read_bytes(),
        "R.txt": b"",  # there are no resources
        "LICENSE": _license(),
    }
    libraries = {abi: native_libraries.build(work, abi) for abi in native_libraries.ABIS}
    for abi, library in libraries.items():
        files[f"jni/{abi}/{library.name}"] = library.read_bytes()
    return files | prefab.entries(HEADERS, libraries)


def _javadoc(folder: Path, class_path: Sequence[Path]) -> Mapping[str, bytes]:
    command = ["javadoc", "-quiet", "--release", "8", "-Xdoclint:all", "-Werror", "-notimestamp", "-encoding", "UTF-8"]
    command += ["-docencoding", "UTF-8", "-charset", "UTF-8", "-locale", "en", "-nohelp"]
    command += ["-windowtitle", f"mobile_bnn {mobile_bnn.__version__}", "-d", str(folder)]
    command += ["-cp", ":".join(map(str, class_path)), *(str(path) for path in sorted(SOURCES.rglob("*.java")))]
    run(command, "writing the Javadoc")
    return dict(_files(folder))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _license() -> bytes:
    return (ROOT / "LICENSE").read_bytes()


def main(arguments: Sequence[str]) -> int:
    """Builds into the folder that the command line names; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python tools/android/aar.py FOLDER", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        built = build(Path(arguments[0]))
    except MobileBnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    for path in built:
        print(f"{path}: {path.stat().st_size} bytes, SHA-256 {sha256(path)}")
    print(f"built in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
