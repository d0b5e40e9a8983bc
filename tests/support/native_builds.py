"""Builds of the native library that tests make, and what a build says of itself."""

import re
import subprocess
from pathlib import Path

import pytest
from ai_edge_litert.interpreter import load_delegate

from tests.support.packages import missing
from tests.support.shared import locked
from tests.support.tools import ENVIRONMENT, ROOT

LIBRARY = "libmobile_bnn_delegate.so"


def known_isas(library: Path) -> list[str]:
    """Every instruction set that the library was built for, as it says itself."""
    with pytest.raises(ValueError, match="known are") as error:
        load_delegate(str(library), {"isa": "?"})
    match = re.search(r"known are (.*)", str(error.value))
    assert match
    return match.group(1).split(", ")


def cmake(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the CMake of the virtual environment, in English."""
    command = ["cmake", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**ENVIRONMENT, "LC_ALL": "C"}, check=False)


def configure_with_simde(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Prepares a build of every instruction set in plain C."""
    return cmake("-S", ROOT / "native", "-B", folder, "-DMBNN_SIMDE=ON", *options)


def lacks_simde(folder: Path) -> bool:
    """Whether CMake looked for SIMDe's headers and found none: its cache says so, as a message has lines to break."""
    cache = folder / "CMakeCache.txt"
    return cache.is_file() and "SIMDE_INCLUDE:PATH=SIMDE_INCLUDE-NOTFOUND" in cache.read_text(encoding="utf-8")


def build_with_simde(folder: Path, *options: str) -> Path | str:
    """The library with every instruction set, built in a folder that is kept; or why there can be none.

    Workers of one run share the folder: one of them builds, the others wait.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        # A run that found no SIMDe may have named compilers that were there for that run only (tools/hidden.sh).
        afresh = [] if (folder / LIBRARY).exists() else ["--fresh"]
        configured = configure_with_simde(folder, *afresh, *options)
        if configured.returncode and lacks_simde(folder):
            return missing("libsimde-dev", "instruction sets that this CPU lacks are not tested")
        assert configured.returncode == 0, configured.stderr
        built = cmake("--build", folder, "-j2")
        assert built.returncode == 0, built.stdout + built.stderr
    return folder / LIBRARY
