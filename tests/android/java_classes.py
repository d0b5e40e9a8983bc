"""The Java classes of the library and of its tests, compiled by Maven."""

import functools
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.packages import need
from tests.support.shared import locked
from tests.support.tools import ROOT

PROJECT = ROOT / "android_demo"
_MODULES = ("-pl", "runtime-api,library")


def maven(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs Maven on the library; the calling test is skipped where there is none."""
    need("openjdk-17-jdk-headless", "the Java sources cannot be compiled")
    need("maven", "the Java sources cannot be compiled")
    command = ["mvn", "-B", "-q", "-f", str(PROJECT), *_MODULES, *arguments]
    with locked(PROJECT / "library/target.lock"):
        return subprocess.run(command, capture_output=True, text=True, check=False)


@functools.cache
def class_path() -> str:
    """Where java finds the library and its tests."""
    compiled = maven("test-compile")
    assert compiled.returncode == 0, compiled.stdout
    return ":".join(str(PROJECT / "library/target" / each) for each in ("classes", "test-classes"))


def checked_by_java(files: Sequence[Path]) -> list[str]:
    """What Java says of each model file: "passes", or why it is refused."""
    command = ["java", "-Xmx256m", "-cp", class_path(), "org.mobilebnn.CheckFiles"]
    names = "".join(f"{each}\n" for each in files)
    done = subprocess.run(command, input=names, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verdicts = done.stdout.splitlines()
    assert len(verdicts) == len(files)
    return verdicts
