"""Tests the Android library and the demo on this PC's JVM: real networks in the PC's TFLite, the APK's own resources.

usage: python tools/android/test.py APK [MAVEN_ARGUMENT ...]     (-Dtest=DrawScreenTest runs a part)
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import exports
from apk import WORK, link_resources
from artifacts import FRAMEWORK, fetch
from cases import write_cases
from host_runtime import host_runtime
from native_libraries import HOST, build
from odd_models import write_odd_models
from programs import require

from mobile_bnn.errors import MobileBnnError

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = WORK / "screenshots"
EXPORTS = WORK / "exports"


def run_tests(apk: Path, arguments: Sequence[str]) -> int:
    """Runs the tests by Maven, which prints what they say.

    Args:
        apk: the built demo, whose resources and assets are taken.
        arguments: for Maven.

    Returns:
        Maven's exit code.

    Raises:
        MobileBnnError: something that the tests need cannot be made.
    """
    require("javac", "mvn", "aapt2")
    fetch(FRAMEWORK)
    cases = WORK / "cases"
    cases.mkdir(parents=True, exist_ok=True)
    write_cases(cases)
    odd = WORK / "odd"
    odd.mkdir(parents=True, exist_ok=True)
    write_odd_models(odd)
    given = {
        "mbnn.native": build(WORK / "jni", HOST).parent,
        "mbnn.runtime": host_runtime(WORK / "host"),
        "mbnn.cases": cases,
        "mbnn.odd": odd,
        "mbnn.r": link_resources().sources,
        "mbnn.apk": apk.resolve(),
        "mbnn.screenshots": SCREENSHOTS,
        "mbnn.exports": EXPORTS,
    }
    command = ["mvn", "-B", "-q", "-f", str(ROOT / "android_demo" / "pom.xml"), "test"]
    for folder in (SCREENSHOTS, EXPORTS):
        shutil.rmtree(folder, ignore_errors=True)  # what is there afterwards is of this run
    settings = [f"-D{name}={value}" for name, value in given.items()]
    code = subprocess.run([*command, *settings, *arguments], check=False).returncode
    if code == 0 and not arguments:
        exports.check(EXPORTS, WORK / "networks")
        print("mbnn compare and mbnn report read the records that the demo shared")
    return code


def main(arguments: Sequence[str]) -> int:
    """Tests what the command line names; returns the exit code."""
    if not arguments or not Path(arguments[0]).is_file():
        print("usage: python tools/android/test.py APK [MAVEN_ARGUMENT ...]; make android-demo builds the APK")
        return 2
    try:
        code = run_tests(Path(arguments[0]), arguments[1:])
    except MobileBnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if code == 0:
        print(f"The tests passed; the screenshots are in {SCREENSHOTS.relative_to(ROOT)}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
