"""`mbnn doctor`: what this machine has of what mobile_bnn needs, how to get the rest, and what may slow it down."""

import platform
import shutil
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import typer

from mobile_bnn.cli.console import Json, err, out, print_json
from mobile_bnn.errors import MobileBnnError, first_line

EXAMPLE = "Example: mbnn doctor --json"

_EVERYTHING, _MEASURING = "everything", "measuring"
_DEVICE, _TRAIN = "pip install mobile-bnn", "pip install 'mobile-bnn[train]'"
_GLIBC = (2, 27)  # what LiteRT's packages are built against
_STYLES = {"missing": "yellow", "advice": "yellow", "absent": "dim"}


@dataclass(frozen=True)
class Check:
    """One finding: what was looked for, what was found, and the cure where something is missing.

    Its status is "ok"; "missing"; "absent" where a device side has no need of it; or "advice".
    """

    name: str
    needed_for: str
    found: str
    cure: str = ""
    status: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", self.status or ("missing" if self.cure else "ok"))


def command(as_json: Json = False) -> None:
    """Check this machine. Exit code 1 if what everything needs is missing."""
    with err.status("looking at this machine"):
        checks = [found for check in _CHECKS if (found := check())]
    if as_json:
        print_json({"checks": [vars(check) for check in checks]})
    else:
        _show(checks)
    if any(check.status == "missing" and check.needed_for == _EVERYTHING for check in checks):
        raise typer.Exit(MobileBnnError.exit_code)


def _show(checks: list[Check]) -> None:
    from mobile_bnn.report.layout import Column, Fitted, Table

    columns = [Column(header) for header in ("", "what", "found", "needed for", "cure")]
    rows = [[check.status, check.name, check.found, check.needed_for, check.cure] for check in checks]
    out.print(Fitted(Table("", columns, rows), row_styles=[_STYLES.get(check.status, "") for check in checks]))


def _python() -> Check:
    good = (3, 10) <= sys.version_info[:2] <= (3, 12)
    return Check("Python", _EVERYTHING, platform.python_version(), "" if good else "use Python 3.10, 3.11 or 3.12")


def _system() -> Check:
    bits = 8 * struct.calcsize("P")
    found = f"{platform.system()} {platform.machine()}, {bits}-bit"
    # A 64-bit kernel under 32-bit programs, as Raspberry Pi OS had it for years, shows in the pointer's size only.
    cure = "" if bits == 64 else "install a 64-bit system: no runtime or converter has 32-bit packages"
    return Check("operating system", _EVERYTHING, found, cure)


def _c_library() -> Check | None:
    name, number = platform.libc_ver()
    if platform.system() != "Linux":
        return None
    needed = f"glibc {'.'.join(map(str, _GLIBC))} or newer"
    parts = tuple(int(part) for part in number.split(".")[:2] if part.isdecimal())
    good = name == "glibc" and parts >= _GLIBC
    cure = "" if good else f"use a system with {needed}, such as Debian 10 or Ubuntu 18.04"
    return Check("C library", "LiteRT's packages", f"{name} {number}".strip() or "not glibc", cure)


def _litert() -> Check:
    try:
        import ai_edge_litert.interpreter  # noqa: F401 - loading it is the check
    except (ImportError, OSError) as error:
        return Check("LiteRT", _EVERYTHING, f"does not load: {first_line(error)}", "pip install ai-edge-litert")
    return Check("LiteRT", _EVERYTHING, version("ai-edge-litert"))


def _delegate() -> Check:
    from mobile_bnn.profiling import ENGINES

    engine = ENGINES["delegate"]
    reason = engine.unavailable()
    return Check("the native library", "engine delegate", reason or engine.version(), _DEVICE if reason else "")


def _instruction_set() -> Check | None:
    from mobile_bnn.runtime.library import default_isa, library_path

    try:
        library_path()
    except MobileBnnError:
        return None  # the native library's own check says so
    try:
        return Check("instruction set", "engine delegate", default_isa())
    except MobileBnnError as error:
        return Check("instruction set", "engine delegate", error.why or error.what, error.cure or _DEVICE)


def _cores() -> Check:
    import psutil

    logical, physical = psutil.cpu_count(), psutil.cpu_count(logical=False)
    found = [f"{number} {kind}" for number, kind in ((logical, "logical"), (physical, "physical")) if number]
    return Check("cores", _MEASURING, ", ".join(found) or "not told by the system")


def _memory() -> Check:
    import psutil

    from mobile_bnn.report.formats import size

    memory = psutil.virtual_memory()
    return Check("memory", _MEASURING, f"{size(memory.total)}, {size(memory.available)} available")


def _governor() -> Check:
    from mobile_bnn.profiling.condition import governors

    found = governors()
    if "powersave" not in found:
        return Check("frequency governor", _MEASURING, ", ".join(found) or "not told by the system")
    cure = "before measuring: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    return Check("frequency governor", _MEASURING, ", ".join(found), cure, "advice")


def _temperature() -> Check | None:
    from mobile_bnn.profiling.condition import HOT, temperature

    found = temperature()
    if found is None:
        return None
    text = f"{found:.0f} °C"
    return Check("temperature", _MEASURING, text, *(("let it cool before measuring", "advice") if found >= HOT else ()))


def _throttling() -> Check | None:
    from mobile_bnn.profiling.condition import throttling

    found = throttling()
    if found is None:
        return None
    if not found:
        return Check("throttling", _MEASURING, "none since the system started")
    cure = "look after its cooling and power supply, and start the system anew before measuring"
    return Check("throttling", _MEASURING, ", ".join(found), cure, "advice")


def _absent(label: str, needed_for: str, found: str) -> Check:
    """Something of the training side that is not there: amiss only where another part of that side is."""
    if any(map(find_spec, ("tensorflow", "tf_keras", "larq"))):
        return Check(label, needed_for, found, _TRAIN)
    return Check(label, needed_for, "not installed (training side)", _TRAIN, "absent")


def _keras() -> Check:
    label, needed_for = "TensorFlow with Keras 2", "training, conversion"
    if find_spec("tensorflow") is None:
        return _absent(label, needed_for, "no TensorFlow")
    try:
        from mobile_bnn.legacy_keras import tf
    except ImportError as error:
        return Check(label, needed_for, "does not load", str(error))
    return Check(label, needed_for, f"{tf.__version__}, Keras {version('tf-keras')}")


def _package(name: str, label: str, needed_for: str) -> Callable[[], Check]:
    def check() -> Check:
        try:
            return Check(label, needed_for, version(name))
        except PackageNotFoundError:
            return _absent(label, needed_for, "not installed")

    return check


def _extra(name: str, label: str, needed_for: str, extra: str) -> Callable[[], Check]:
    """A package of an extra that not everyone wants: amiss nowhere."""

    def check() -> Check:
        try:
            return Check(label, needed_for, version(name))
        except PackageNotFoundError:
            return Check(label, needed_for, "not installed", f"pip install 'mobile-bnn[{extra}]'", "absent")

    return check


def _adb() -> Check:
    label, needed_for = "adb", "targets adb://"
    if path := shutil.which("adb"):
        return Check(label, needed_for, path)
    return Check(label, needed_for, "not found", "apt-get install adb, or Android's platform tools", "absent")


def _lce() -> Check:
    from mobile_bnn.profiling import ENGINES

    label, needed_for = "LCE's interpreter", "engine lce"
    reason = ENGINES["lce"].unavailable()
    return _absent(label, needed_for, reason) if reason else Check(label, needed_for, ENGINES["lce"].version())


def _program(names: tuple[str, ...], label: str, needed_for: str, cure: str) -> Callable[[], Check | None]:
    """A program that only a copy of the sources needs."""

    def check() -> Check | None:
        if not (Path(__file__).resolve().parents[2] / "native" / "CMakeLists.txt").is_file():
            return None
        for name in names:
            if path := shutil.which(name):
                return Check(label, needed_for, path)
        return Check(label, needed_for, "not found", cure)

    return check


_CHECKS: tuple[Callable[[], Check | None], ...] = (
    _python,
    _system,
    _c_library,
    _litert,
    _delegate,
    _instruction_set,
    _cores,
    _memory,
    _governor,
    _temperature,
    _throttling,
    _keras,
    _package("larq", "Larq", "training"),
    _package("larq-compute-engine", "LCE's converter", "conversion"),
    _lce,
    _package("tensorflow-datasets", "TensorFlow Datasets", "data sets other than digits"),
    _extra("matplotlib", "Matplotlib", "charts of reports", "report"),
    _extra("asyncssh", "AsyncSSH", "targets ssh://", "devices"),
    _extra("adbutils", "adbutils", "targets adb://", "devices"),
    _adb,
    _program(("c++", "g++", "clang++"), "C++ compiler", "building from source", "apt-get install g++"),
    _program(
        ("chromium", "chromium-browser", "google-chrome"),
        "Chromium",
        "mobile_bnn's own tests",
        "apt-get install chromium",
    ),
)
