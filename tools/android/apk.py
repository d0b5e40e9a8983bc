"""Builds the demo as a signed APK, without Google's SDK and NDK.

usage: python tools/android/apk.py APK
"""

import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import apk_gates
import apk_zip
import artifacts
import assets
import native_libraries
import resources
import signing
import tomlkit
from dex import compile_java, dex
from programs import require

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import atomic_file, sha256, write_bytes

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "android_demo" / "app"
LIBRARY = ROOT / "android_demo" / "library"
WORK = ROOT / "build" / "android"
ASSETS = WORK / "assets"
_TFLITE = "libtensorflowlite_jni.so"


def build(apk: Path) -> list[str]:
    """Builds, signs and checks the APK.

    Returns:
        What a user should know of it, a line each.

    Raises:
        MobileBnnError: says which step failed, and why.
    """
    require("javac", "mvn", "aapt2", "zipalign", "apksigner", "dexdump")
    linked = link_resources()
    framework, dexer = artifacts.fetch(artifacts.FRAMEWORK), artifacts.fetch(artifacts.DEXER)
    runtime = [_classes_of(artifact) for artifact in (artifacts.TFLITE, artifacts.TFLITE_API)]
    classes = WORK / "classes"
    sources = [APP / "src/main/java", LIBRARY / "src/main/java", linked.sources]
    compile_java(sources, [framework, *runtime], classes)
    code = dex(classes, runtime, [framework], dexer, WORK / "dex")
    files = {"classes.dex": code.read_bytes(), **_libraries()}
    with zipfile.ZipFile(linked.archive) as archive:
        files.update({name: archive.read(name) for name in archive.namelist()})
    for name, content in assets.make(WORK / "networks").items():
        files[f"assets/{name}"] = content
        (ASSETS / name).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(ASSETS / name, content)  # for Android Studio
    unsigned = WORK / "unsigned.apk"
    apk_zip.write(unsigned, files)
    apk.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(apk) as part:
        signing.sign(unsigned, part, signing.keystore())
        return apk_gates.check(part)


def link_resources() -> resources.Resources:
    """The app's resources, compiled."""
    project = tomlkit.parse((ROOT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()["project"]
    name = str(project["version"])
    major, minor, patch = (int(part) for part in name.split(".")[:3])
    code = (major * 1000 + minor) * 1000 + patch
    framework = artifacts.fetch(artifacts.FRAMEWORK)
    return resources.link(APP, framework, WORK / "resources", version_code=code, version_name=name)


def _classes_of(artifact: artifacts.Artifact) -> Path:
    """The Java classes in an .aar, as a .jar beside it."""
    archive = artifacts.fetch(artifact)
    jar = archive.with_suffix(".jar")
    with zipfile.ZipFile(archive) as aar:
        write_bytes(jar, aar.read("classes.jar"))
    return jar


def _libraries() -> dict[str, bytes]:
    found = {}
    with zipfile.ZipFile(artifacts.fetch(artifacts.TFLITE)) as aar:
        for abi in apk_gates.ABIS:
            found[f"lib/{abi}/{_TFLITE}"] = aar.read(f"jni/{abi}/{_TFLITE}")
            own = native_libraries.build(WORK / "native", abi)
            found[f"lib/{abi}/{own.name}"] = own.read_bytes()
    return found


def main(arguments: Sequence[str]) -> int:
    """Builds what the command line names; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python tools/android/apk.py APK", file=sys.stderr)
        return 2
    apk, began = Path(arguments[0]), time.monotonic()
    try:
        notes = build(apk)
    except MobileBnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{apk}: {apk.stat().st_size} bytes, SHA-256 {sha256(apk)}, built in {time.monotonic() - began:.0f} s")
    for note in notes:
        print(f"note: {note}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
