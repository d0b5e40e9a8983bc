"""The library as a file: what it exports, what it needs, how large it is."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def symbols(library: Path, *options: str) -> list[str]:
    command = ["nm", "-D", "--with-symbol-versions", *options, str(library)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


PLUG_IN = {"tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate"}


def test_exports_the_plug_in_and_what_it_says_of_itself(library: Path) -> None:
    names = {line.split()[-1] for line in symbols(library, "--defined-only")}
    own = {"mobile_bnn_version", "mobile_bnn_default_isa", "mobile_bnn_tile", "mobile_bnn_peak_gmacs"}
    assert names == PLUG_IN | own


def test_needs_only_the_c_library(library: Path) -> None:
    # libc, libm and libpthread version their symbols GLIBC_*; libstdc++ and libgcc have nodes of their own.
    strong = [line.split()[-1] for line in symbols(library, "--undefined-only") if line.split()[0] == "U"]
    assert strong
    assert [name for name in strong if not re.fullmatch(r"\w+@GLIBC_[\d.]+", name)] == []
    dynamic = subprocess.run(["readelf", "-d", str(library)], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"NEEDED.*\[(.*)\]", dynamic)) <= {"libc.so.6", "libm.so.6", "libpthread.so.0"}


def test_pages_of_16_kilobytes(library: Path) -> None:
    headers = subprocess.run(["readelf", "-lW", str(library)], capture_output=True, text=True, check=True).stdout
    alignments = [int(line.split()[-1], 16) for line in headers.splitlines() if line.split()[:1] == ["LOAD"]]
    assert alignments
    assert min(alignments) >= 0x4000


def test_is_small(library: Path, tmp_path: Path) -> None:
    stripped = Path(shutil.copy(library, tmp_path))
    subprocess.run(["strip", str(stripped)], check=True)
    assert stripped.stat().st_size < 500_000


def test_has_the_packages_version(library: Path) -> None:
    version = ctypes.CDLL(str(library)).mobile_bnn_version
    version.restype = ctypes.c_char_p
    project = (ROOT / "pyproject.toml").read_text()
    assert version().decode() == re.search(r'^version = "(.*)"$', project, re.MULTILINE).group(1)


def test_its_default_is_the_first_instruction_set_that_the_cpu_has(library: Path, isas: list[str]) -> None:
    default = ctypes.CDLL(str(library)).mobile_bnn_default_isa
    default.restype = ctypes.c_char_p
    assert default().decode() == isas[0]
