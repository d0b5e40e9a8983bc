"""Runs the delegate in every TFLite runtime that it supports and writes the table of docs/runtimes.md.

usage: python tools/runtimes/table.py

Builds a throw-away environment for each runtime (1.5 GB for TensorFlow's), one after the other, in a temporary folder.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import TypedDict

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cases
from page import with_table

from mobile_bnn.files import write_text
from mobile_bnn.runtime import library_path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "runtimes.md"
# The oldest and newest of each, what pip must be told, and what a reader should know.
RUNTIMES = (
    ("ai-edge-litert", "1.0.1", ("numpy<2",), "needs numpy below 2, and does not say so to pip"),
    ("ai-edge-litert", "1.4.0", (), ""),
    ("ai-edge-litert", "2.3.0", (), ""),
    ("tensorflow", "2.16.2", (), ""),
    ("tensorflow", "2.21.0", (), ""),
    ("tflite-runtime", "2.14.0", ("numpy<2",), "needs numpy below 2, and does not say so to pip"),
)
TOLERANCE = 1e-5  # of the zoo model, whose float operators are each runtime's own


def main() -> int:
    """Writes the page; 1 if a runtime failed."""
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as folder:
        print("making the models and LCE's outputs", flush=True)
        cases.write(Path(folder))
        for package, version, extra, note in RUNTIMES:
            print(package, version, flush=True)
            result = probe(Path(folder), f"{package}=={version}", *extra)
            wrong = problems(result)
            failed |= bool(wrong)
            print("\n".join(wrong) or "all equal", flush=True)
            rows.append(row(package, version, result, wrong, note))
    table = TABLE.format(cases=len(result["differences"]), cpu=cpu_name(), rows="\n".join(rows))
    write_text(PAGE, with_table(PAGE.read_text(encoding="utf-8"), table))
    return int(failed)


class Probed(TypedDict):
    """What probe.py prints."""

    loads: bool
    python: str
    numpy: str
    differences: dict[str, float]
    errors: dict[str, str]


def probe(folder: Path, *requirements: str) -> Probed:
    """What probe.py says in a new environment with these packages."""
    with tempfile.TemporaryDirectory() as environment:
        venv.create(environment, with_pip=True)
        python = str(Path(environment) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *requirements], check=True)
        command = [python, str(HERE / "probe.py"), str(folder), str(library_path())]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        return {"loads": False, "python": "", "numpy": "", "differences": {}, "errors": {"probe": result.stderr[-500:]}}
    last_line: Probed = json.loads(result.stdout.splitlines()[-1])
    return last_line


def problems(result: Probed) -> list[str]:
    """One line for each case that failed or is not equal."""
    lines = [f"{name}: {error}" for name, error in result["errors"].items()]
    for name, difference in result["differences"].items():
        if not difference <= (TOLERANCE if name == cases.ZOO_MODEL else 0):
            lines.append(f"{name}: differs by {difference}")
    return lines


def row(package: str, version: str, result: Probed, wrong: list[str], note: str) -> str:
    """A line of the table."""
    total = len(result["differences"]) + len(result["errors"])
    zoo = result["differences"].get(cases.ZOO_MODEL)
    cells = (
        package,
        version,
        f"{result['python']}, {result['numpy']}",
        "yes" if result["loads"] else "no",
        f"all {total}" if not wrong else f"{total - len(wrong)} of {total}",
        "" if zoo is None else f"{zoo:.1e}",
        note,
    )
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def cpu_name() -> str:
    """What the CPU calls itself."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


TABLE = """\
`make runtimes` builds an environment for each runtime, runs the same {cases} models in it through
`libmobile_bnn_delegate.so`, and writes this table. The models are LCE's four operators with every type of input and
output, which must equal LCE's reference kernel to the last bit, and a QuickNetSmall, whose float operators are the
runtime's own: its outputs, between 0 and 1, may differ by 1e-5. CPU: {cpu}.

| runtime | version | Python, NumPy | loads | equal | largest difference of QuickNetSmall | |
|---|---|---|---|---|---|---|
{rows}
"""

if __name__ == "__main__":
    sys.exit(main())
