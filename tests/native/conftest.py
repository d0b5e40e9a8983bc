"""The native library, loaded for every instruction set: those of this machine for real, the others through SIMDe."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from ai_edge_litert.interpreter import Delegate, load_delegate

from mobile_bnn.runtime import library_path
from tests.support.native_builds import build_with_simde, known_isas
from tests.support.tools import ROOT


@pytest.fixture(scope="session")
def library() -> Path:
    """The installed shared library; MBNN_TEST_LIBRARY names another, e.g. one with sanitizers."""
    return Path(os.environ.get("MBNN_TEST_LIBRARY") or library_path())


@pytest.fixture(scope="session")
def isas(library: Path) -> list[str]:
    """The instruction sets that the library runs on this machine."""
    usable = []
    for isa in known_isas(library):
        with suppress(ValueError):
            load_delegate(str(library), {"isa": isa})
            usable.append(isa)
    return usable


@pytest.fixture(scope="session")
def simde_library() -> Path | str:
    """A build of every instruction set in plain C, kept in build/simde; the reason if there can be none."""
    if os.environ.get("MBNN_TEST_LIBRARY"):
        return "MBNN_TEST_LIBRARY names the library under test"
    return build_with_simde(ROOT / "build" / "simde")


@pytest.fixture(scope="session")
def delegates(library: Path, isas: list[str], simde_library: Path | str) -> dict[str, Delegate]:
    """A delegate for each instruction set, with one thread and with two; one thread where it is emulated."""
    loaded = {
        f"{isa}, {threads} threads": load_delegate(str(library), {"isa": isa, "num_threads": threads})
        for isa in isas
        for threads in (1, 2)
    }
    if isinstance(simde_library, Path):
        for isa in set(known_isas(simde_library)) - set(isas):
            loaded[f"{isa} through SIMDe"] = load_delegate(str(simde_library), {"isa": isa})
    return loaded


@pytest.fixture(scope="session")
def delegate(delegates: dict[str, Delegate]) -> Delegate:
    """One delegate, where any will do."""
    return next(iter(delegates.values()))
