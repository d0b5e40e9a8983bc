"""Start-up time and memory of one engine, each time in a process that has done nothing else.

usage: python benchmarks/bench/fresh_process.py LIBRARY ENGINE FILE THREADS

Prints two numbers. Start-up is creating the interpreter and the first inference, with modules imported and the file
read. Memory is what the resident set grew to over that and a few inferences more, above what it was before.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from inference import engines

from mobile_bnn.errors import MobileBnnError

INFERENCES = 5
REPEATS = 5


def start_up_and_memory(library: Path, engine: str, path: Path, threads: int) -> tuple[float, int]:
    """One process: milliseconds and bytes.

    Raises:
        MobileBnnError: the process failed.
    """
    start_up_ms, memory_bytes = printed_by(engine, __file__, str(library), engine, str(path), str(threads))[-2:]
    return float(start_up_ms), int(memory_bytes)


def printed_by(what: str, script: str, *arguments: str) -> list[str]:
    """The words that a script prints in a process of its own.

    Raises:
        MobileBnnError: the process failed; `what` names it.
    """
    child = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)
    if child.returncode != 0:
        last = [line.strip() for line in child.stderr.splitlines() if line.strip()][-1:]
        raise MobileBnnError(f"{what} failed in a process of its own", why="".join(last))
    return child.stdout.split()


def medians(figures: list[tuple[float, int]]) -> tuple[float, int]:
    """The medians of what several processes gave."""
    times, memory = zip(*figures, strict=True)
    return statistics.median(times), int(statistics.median(memory))


class PeakMemory:
    """What this process's resident set grows to from here on, above what it is now."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the highest mark so far: put it down to what is there now
        self._before = _resident("VmRSS")

    def grown_bytes(self) -> int:
        """Bytes of the highest mark since, above the start."""
        return _resident("VmHWM") - self._before


def _resident(field: str) -> int:
    """VmRSS (now) or VmHWM (its highest mark) of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    """Measures this very process."""
    library, name, path, threads = sys.argv[1:]
    engine = engines(Path(library))[name]
    flatbuffer = Path(path).read_bytes()
    memory = PeakMemory()
    start = time.perf_counter()
    infer = engine.load(flatbuffer, int(threads))
    infer()
    start_up_ms = (time.perf_counter() - start) * 1e3
    for _ in range(INFERENCES):
        infer()
    print(start_up_ms, memory.grown_bytes())


if __name__ == "__main__":
    main()
