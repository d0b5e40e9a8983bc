"""The native library, loaded for every instruction set that this machine has."""

import os
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert.interpreter import load_delegate

from mobile_bnn.runtime import library_path

ISAS = ("portable", "avx2", "avx512")


@pytest.fixture(scope="session")
def library() -> Path:
    """The installed shared library; MBNN_TEST_LIBRARY names another, e.g. one with sanitizers."""
    return Path(os.environ.get("MBNN_TEST_LIBRARY") or library_path())


@pytest.fixture(scope="session")
def isas(library: Path) -> list[str]:
    """The instruction sets of this machine, by what the kernel says of the CPU."""
    flags = Path("/proc/cpuinfo").read_text().split()
    needs = {"portable": (), "avx2": ("avx2",), "avx512": ("avx512bw", "avx512dq", "avx512vl", "avx512_vpopcntdq")}
    return [isa for isa in ISAS if all(flag in flags for flag in needs[isa])]


@pytest.fixture(scope="session")
def delegates(library: Path, isas: list[str]) -> dict[str, Any]:
    """A delegate for each instruction set, with one thread and with two."""
    return {
        f"{isa}, {threads} threads": load_delegate(str(library), {"isa": isa, "num_threads": threads})
        for isa in isas
        for threads in (1, 2)
    }


@pytest.fixture(scope="session")
def delegate(delegates: dict[str, Any]) -> Any:
    """One delegate, where any will do."""
    return next(iter(delegates.values()))
