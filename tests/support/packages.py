"""Packages of Debian and Ubuntu that a test cannot do without: it is skipped where one is missing, and says so."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.tools import ROOT

LIST = ROOT / "tools" / "debian_packages.txt"
CURE = "make test-deps"


def evidence(package: str) -> list[str]:
    """The commands and paths of which any shows that a package is here, from tools/debian_packages.txt."""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.split()[:1] == [package]:
            return line.split()[1].split(",")
    raise LookupError(f"{LIST} has no {package}")


def found(package: str) -> Path | None:
    """The first command or path that shows a package, or None where it is missing."""
    for sign in evidence(package):
        path = shutil.which(sign)
        if path:
            return Path(path)
        if sign.startswith("/") and _holds_something(Path(sign)):
            return Path(sign)
    return None


def _holds_something(path: Path) -> bool:
    """Whether a file is there, or a folder that is not empty."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def missing(package: str, what: str) -> str:
    """Why a test is skipped, as its user reads it; `what` is what it cannot do."""
    return f"{what}: {package} is not installed (`{CURE}` installs it)"


def need(package: str, what: str) -> Path:
    """The command or path that shows a package. Where there is none, the calling test is skipped.

    Where MBNN_TEST_DEPS says "installed", as continuous integration does, it fails.
    """
    __tracebackhide__ = True  # the report names the line of the test
    path = found(package)
    if path is None:
        skip_or_fail(missing(package, what))
    return path


def skip_or_fail(reason: str) -> None:
    """Skips the calling test, or fails it for want of a package where every one was installed."""
    __tracebackhide__ = True
    if os.environ.get("MBNN_TEST_DEPS") == "installed" and CURE in reason:
        pytest.fail(reason)
    pytest.skip(reason)
