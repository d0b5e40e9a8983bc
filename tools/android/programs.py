"""Runs the programs that an APK is built with; what is missing and what fails is told in one line."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mobile_bnn.errors import MobileBnnError

_LIST = Path(__file__).resolve().parents[1] / "debian_packages.txt"
_MOST_SHOWN = 20  # lines of what a program complained about


def require(*programs: str) -> None:
    """Refuses to begin where a program is missing.

    Raises:
        MobileBnnError: names the packages of all that are missing.
    """
    packages = sorted({_package(program) for program in programs if shutil.which(program) is None})
    if packages:
        names = " ".join(packages)
        raise MobileBnnError(
            f"the APK cannot be built without {names}", why="not installed", cure=f"Run: apt-get install {names}"
        )


def _package(program: str) -> str:
    """The package of Debian and Ubuntu that brings a program."""
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        package, _, signs = line.partition("#")[0].strip().partition(" ")
        if program in signs.strip().split(","):
            return package
    raise KeyError(f"{_LIST} names no package of {program}")


def run(command: Sequence[str | Path], doing: str, *, folder: Path | None = None) -> str:
    """Runs a program and returns what it printed.

    Args:
        command: the program and its arguments.
        doing: what for, as the end of "... failed", such as "compiling the resources".
        folder: to run in.

    Raises:
        MobileBnnError: it failed; the message ends with the last lines that it printed.
    """
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        complaint = (done.stdout + done.stderr).strip().splitlines()[-_MOST_SHOWN:]
        raise MobileBnnError(f"{doing} failed", why="\n  ".join([f"{command[0]} says", *complaint]))
    return done.stdout + done.stderr
