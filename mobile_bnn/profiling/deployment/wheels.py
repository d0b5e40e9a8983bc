"""Gathers on the host the packages that a board needs: our own wheel, and what the base install depends on."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import atomic_folder, sha256
from mobile_bnn.profiling.deployment.facts import Facts

_SOURCES = Path(__file__).resolve().parents[3]
_MAKE = {"aarch64": "make wheel-aarch64", "x86_64": "make wheel"}
_PIP = "pip>=23"  # installs the others on the board, whose own may be missing


@dataclass(frozen=True)
class Package:
    """Our own wheel, for one kind of board and one Python.

    Attributes:
        path: the wheel.
        key: what an installation of it is called: the version, and a hash of all that decides what is installed.
    """

    path: Path
    key: str


def our_package(facts: Facts, given: Path | None) -> Package:
    """The wheel of this version for a board: the given one, or the newest in dist/.

    Raises:
        UsageError: there is no such file, or it is for another kind of board.
        MobileBnnError: there is none.
    """
    path = given or _newest(facts.machine)
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    if not _fits(path.name, facts.machine):
        made_for = path.stem.rpartition("-")[2]
        raise UsageError(
            f"{path.name} does not fit",
            why=f"it is made for {made_for}, and the board is {facts.machine}",
            cure=_how_to_make(facts.machine),
        )
    return Package(path, f"{_version_of(path)}-{_hash(*_decides(facts), sha256(path))[:12]}")


def gather(package: Package, facts: Facts) -> list[Path]:
    """Our wheel and those of all it needs, from the cache or the package index.

    Raises:
        MobileBnnError: pip cannot get them.
    """
    folder = _cache() / _hash(*_decides(facts), _needs(package.path))[:16]
    if not folder.is_dir():
        with atomic_folder(folder) as part:
            _download(package.path, facts, part)
            (part / package.path.name).unlink()  # others need the same, such as the next version
    return [package.path, *sorted(folder.glob("*.whl"))]


def unpacked_bytes(wheels: Sequence[Path]) -> int:
    """What they take on a disk, with what Python compiles of them."""
    total = 0
    for path in wheels:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                total += entry.file_size * (2 if entry.filename.endswith(".py") else 1) + 2048  # half a block each
    return total


def _download(wheel: Path, facts: Facts, folder: Path) -> None:
    major, minor = facts.version[:2]
    python = f"cp{major}{minor}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--dest", str(folder), "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", f"{major}.{minor}", "--abi", python, "--abi", "abi3", "--abi", "none"]
    for platform in _platforms(facts):
        command += ["--platform", platform]
    if (constraints := _constraints()) is not None:
        command += ["--constraint", str(constraints)]
    ended = subprocess.run([*command, str(wheel), _PIP], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        lines = [line for line in ended.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines or [f"exit code {ended.returncode}"]
        raise MobileBnnError(
            "the packages for the board cannot be got",
            why=errors[-1].removeprefix("ERROR: "),
            cure="The board needs no network, but this machine does, the first time",
        )


def _platforms(facts: Facts) -> list[str]:
    """Names of the platforms whose wheels run on a board, the newest first."""
    glibc = int(facts.glibc.split(".")[1])
    names = [f"manylinux_2_{minor}_{facts.machine}" for minor in range(glibc, 16, -1)]
    return [*names, f"manylinux2014_{facts.machine}", f"linux_{facts.machine}"]


def _constraints() -> Path | None:
    """The versions that were tested together; a released package has none."""
    path = _SOURCES / "constraints.txt"
    return path if path.is_file() and (_SOURCES / "native").is_dir() else None


def _decides(facts: Facts) -> tuple[str, ...]:
    """What decides which packages a wheel of ours is installed with."""
    constraints = _constraints()
    python = f"{facts.python} {facts.version[:2]}"
    return (sha256(constraints) if constraints else "", python, facts.machine, facts.glibc)


def _needs(wheel: Path) -> str:
    """The lines of a wheel's metadata that say what it depends on."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode("utf-8").partition("\n\n")[0].splitlines()
    return "\n".join(line for line in lines if line.startswith("Requires-Dist:"))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()


def _newest(machine: str) -> Path:
    folders = {Path("dist").resolve(), _SOURCES / "dist"}
    found = [path for folder in folders for path in folder.glob("mobile_bnn-*.whl") if _fits(path.name, machine)]
    found = [path for path in found if _version_of(path) == __version__]
    if not found:
        raise MobileBnnError(
            f"there is no package of mobile_bnn {__version__} for {machine}",
            why="dist/ holds none",
            cure=_how_to_make(machine),
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def _how_to_make(machine: str) -> str:
    return f"`{_MAKE[machine]}` builds it in a copy of the sources; --wheel names one that lies elsewhere"


def _fits(name: str, machine: str) -> bool:
    tags = name.removesuffix(".whl").rpartition("-")[2].split(".")
    return name.startswith("mobile_bnn-") and any(re.fullmatch(rf"(many)?linux.*_{machine}", tag) for tag in tags)


def _version_of(path: Path) -> str:
    return path.name.split("-")[1]


def _cache() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MBNN_CACHE") or Path(caches, "mobile_bnn")) / "wheels"
