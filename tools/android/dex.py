"""Compiles Java for Android: javac at language level 8, then D8."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from programs import run
from resources import MIN_SDK

from mobile_bnn.errors import MobileBnnError


def compile_java(sources: Sequence[Path], class_path: Sequence[Path], classes: Path) -> None:
    """Compiles every .java file below the folders `sources` into the folder `classes`, which is emptied first.

    Raises:
        MobileBnnError: javac refuses them, also for a warning.
    """
    shutil.rmtree(classes, ignore_errors=True)
    classes.mkdir(parents=True)
    files = sorted(file for folder in sources for file in folder.rglob("*.java"))
    run(
        [
            # -options: that Java 8 will go away one day. The framework's own deprecations have no substitute at API 26.
            *(
                "javac",
                "--release",
                "8",
                "-encoding",
                "UTF-8",
                "-Xlint:all,-options,-serial,-deprecation,-classfile",
                "-Werror",
            ),
            *("-cp", ":".join(map(str, class_path)), "-d", classes, *files),
        ],
        "compiling the app",
    )


def dex(classes: Path, archives: Sequence[Path], libraries: Sequence[Path], dexer: Path, work: Path) -> Path:
    """One classes.dex of the class files and the archives.

    Args:
        classes: a folder of class files.
        archives: .jar files that go in, too.
        libraries: what Android has itself.
        dexer: the archive of D8.
        work: where classes.dex is written.

    Raises:
        MobileBnnError: D8 refuses a class, or left an instruction that Android below API 26 or LambdaMetafactory
            would need.
    """
    work.mkdir(parents=True, exist_ok=True)
    files = sorted(classes.rglob("*.class"))
    on_path = [part for library in libraries for part in ("--lib", library)]
    run(
        [
            *("java", "-Xmx1g", "-cp", dexer, "com.android.tools.r8.D8", "--release", "--min-api", str(MIN_SDK)),
            *(*on_path, "--output", work, *files, *archives),
        ],
        "making classes.dex",
    )
    made = work / "classes.dex"
    if "invoke-custom" in run(["dexdump", "-d", made], "reading classes.dex"):
        raise MobileBnnError("classes.dex has invoke-custom", why="D8 left a lambda, which Android cannot link")
    return made
