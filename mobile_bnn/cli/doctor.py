"""`mbnn doctor`: what this machine has of what mobile_bnn needs, and how to get the rest."""

import platform
import shutil
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from mobile_bnn.cli.console import Json, err, out, print_json
from mobile_bnn.errors import MobileBnnError

EXAMPLE = "Example: mbnn doctor --json"

_TRAIN = "pip install 'mobile-bnn[train]'"


@dataclass(frozen=True)
class Check:
    """One finding: what was looked for, what was found, and the cure where something is missing."""

    name: str
    needed_for: str
    found: str
    cure: str = ""


def command(as_json: Json = False) -> None:
    """Check this machine. Exit code 1 if what everything needs is missing."""
    with err.status("looking at this machine"):
        checks = [check() for check in _CHECKS]
    if as_json:
        print_json([vars(check) for check in checks])
    else:
        table = Table("", "what", "found", "needed for", "cure", box=box.SIMPLE_HEAD)
        for check in checks:
            mark = "[yellow]missing[/]" if check.cure else "[green]ok[/]"
            # Brackets are part of what is printed, such as in a package's extras.
            table.add_row(mark, *map(escape, (check.name, check.found, check.needed_for, check.cure)))
        out.print(table)
    if any(check.cure and check.needed_for == "everything" for check in checks):
        raise typer.Exit(MobileBnnError.exit_code)


def _python() -> Check:
    good = (3, 10) <= sys.version_info[:2] <= (3, 12)
    return Check("Python", "everything", platform.python_version(), "" if good else "use Python 3.10, 3.11 or 3.12")


def _system() -> Check:
    bits = 8 * struct.calcsize("P")
    found = f"{platform.system()} {platform.machine()}, {bits}-bit"
    # A 64-bit kernel under 32-bit programs, as Raspberry Pi OS had it for years, shows in the pointer's size only.
    cure = "" if bits == 64 else "install a 64-bit system: no runtime or converter has 32-bit packages"
    return Check("operating system", "everything", found, cure)


def _package(name: str, label: str, needed_for: str, cure: str) -> Callable[[], Check]:
    def check() -> Check:
        try:
            return Check(label, needed_for, version(name))
        except PackageNotFoundError:
            return Check(label, needed_for, "not installed", cure)

    return check


def _keras() -> Check:
    if find_spec("tensorflow") is None:
        return Check("TensorFlow with Keras 2", "training, conversion", "no TensorFlow", _TRAIN)
    try:
        from mobile_bnn.legacy_keras import tf
    except ImportError as error:
        return Check("TensorFlow with Keras 2", "training, conversion", "does not load", str(error))
    return Check("TensorFlow with Keras 2", "training, conversion", f"{tf.__version__}, Keras {version('tf-keras')}")


def _litert() -> Check:
    try:
        import ai_edge_litert.interpreter  # noqa: F401 - loading it is the check
    except (ImportError, OSError) as error:
        return Check("LiteRT", "everything", f"does not load: {error}", "pip install ai-edge-litert")
    return Check("LiteRT", "everything", version("ai-edge-litert"))


def _engine(name: str, label: str, cure: str) -> Callable[[], Check]:
    def check() -> Check:
        from mobile_bnn.profiling import ENGINES

        reason = ENGINES[name].unavailable()
        return Check(label, f"engine {name}", reason or ENGINES[name].version(), cure if reason else "")

    return check


def _program(names: tuple[str, ...], label: str, needed_for: str, cure: str) -> Callable[[], Check]:
    def check() -> Check:
        for name in names:
            if path := shutil.which(name):
                return Check(label, needed_for, path)
        return Check(label, needed_for, "not found", cure)

    return check


_CHECKS: tuple[Callable[[], Check], ...] = (
    _python,
    _system,
    _litert,
    _keras,
    _package("larq", "Larq", "training", _TRAIN),
    _package("larq-compute-engine", "LCE's converter", "conversion", _TRAIN),
    _engine("delegate", "the native library", "pip install mobile-bnn"),
    _engine("lce", "LCE's interpreter", _TRAIN),
    _package("tensorflow-datasets", "TensorFlow Datasets", "data sets other than digits", _TRAIN),
    _program(("c++", "g++", "clang++"), "C++ compiler", "building from source", "apt-get install g++"),
    _program(("adb",), "adb", "profiling on Android phones", "apt-get install adb"),
    _program(("ssh",), "ssh", "profiling on other boards", "apt-get install openssh-client"),
    _program(
        ("chromium", "chromium-browser", "google-chrome"),
        "Chromium",
        "mobile_bnn's own tests",
        "apt-get install chromium",
    ),
)
