"""Every engine in one run: networks and single binary convolutions, latency, scaling, start-up and memory.

make bench, or: python benchmarks/bench [--models NAME,NAME] [--rounds 40] [--threads 1,2]
"""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import fresh_process
import interleaved
import page
import pinning
import typer
from cases import CASES, SMALL, Case, choose
from inference import Engine, engines
from model_files import binary_file, float_file, make_files
from records import BenchResult, Footprint, Latency, cpu_of, read_all

from mobile_bnn.cli.console import err, out, reported
from mobile_bnn.cli.profile import thread_counts
from mobile_bnn.cli.progress import progress
from mobile_bnn.errors import UsageError
from mobile_bnn.profiling import ENGINES, local_machine
from mobile_bnn.runtime import library_path, operator_table

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"


def main(
    models: Annotated[str, typer.Option(help=f"Some of {', '.join(CASES)}, separated by commas; all by default.")] = "",
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the figure is their median.")] = 40,
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas.")] = "1,2",
    library: Annotated[Path | None, typer.Option(help="Another build of the native library.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Keep the result (JSON) here, and leave the page as it is.")
    ] = None,
) -> None:
    """Measure every engine side by side, print ratios, and bring docs/performance.md up to date.

    The result is kept in benchmarks/results/, and goes into the page, if every model was measured with 1 and 2 threads
    and the installed library. Any other run is only printed.
    """
    cases, counts = choose(models), thread_counts(threads)
    if library is not None and not library.is_file():
        raise UsageError(f"there is no library {library}")
    result = measure(cases, counts, rounds, library or library_path())
    out.print(f"{result.cpu}, load {result.machine.load_1min:.1f} before the run")
    for table in page.tables(result):
        out.print(table.to_rich())
    if output:
        result.save(output)
    elif len(cases) == len(CASES) and counts == [1, 2] and library is None:
        result.save(RESULTS / result.file_name)
        page.update(PAGE, read_all(RESULTS, BenchResult))
        err.print(f"kept as {RESULTS / result.file_name}, shown in {PAGE}", soft_wrap=True)


def measure(cases: Sequence[Case], counts: list[int], rounds: int, library: Path) -> BenchResult:
    """Makes the files, then measures them."""
    machine = local_machine()
    every = engines(library)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with progress("making the models", len(cases), "files") as advance:
            make_files(folder, cases, lambda: advance(1))
        return BenchResult(
            cpu=cpu_of(machine),
            machine=machine,
            versions={name: engine.version() for name, engine in ENGINES.items()},
            rounds=rounds,
            threads=counts,
            binary_macs={case.name: operator_table(binary_file(folder, case)).total("binary_macs") for case in cases},
            latencies=[item for case in cases for item in _latencies(folder, case, every, counts, rounds)],
            footprints=_footprints(folder, every, library) if SMALL in cases else [],
        )


def _latencies(folder: Path, case: Case, every: dict[str, Engine], counts: list[int], rounds: int) -> list[Latency]:
    binary, floating = binary_file(folder, case).read_bytes(), float_file(folder, case).read_bytes()
    # Thread counts one after the other: what a pool's threads still do delays only the next count's first engine.
    runs = [(engine, threads) for threads in counts for engine in every.values()]
    with (
        pinning.main_thread_pinned() as others,
        progress(case.title, interleaved.WARM_UP + rounds, "rounds") as advance,
    ):
        inferences = {
            (engine.name, threads): pinning.load_pinned(
                partial(engine.load, floating if engine.reads_float else binary, threads), others
            )
            for engine, threads in runs
        }
        medians = interleaved.measure(inferences, rounds, lambda: advance(1))
    return [
        Latency(case=case.name, engine=engine, threads=threads, median_ms=median_ms)
        for (engine, threads), median_ms in medians.items()
    ]


def _footprints(folder: Path, every: dict[str, Engine], library: Path) -> list[Footprint]:
    figures: dict[str, list[tuple[float, int]]] = {name: [] for name in every}
    with progress("start-up and memory", fresh_process.REPEATS * len(every), "processes") as advance:
        for _ in range(fresh_process.REPEATS):
            for name, engine in every.items():
                path = float_file(folder, SMALL) if engine.reads_float else binary_file(folder, SMALL)
                figures[name].append(fresh_process.start_up_and_memory(library, name, path, threads=1))
                advance(1)
    medians = {name: fresh_process.medians(of_one) for name, of_one in figures.items()}
    return [
        Footprint(engine=name, start_up_ms=start_up_ms, memory_bytes=memory_bytes)
        for name, (start_up_ms, memory_bytes) in medians.items()
    ]


if __name__ == "__main__":
    typer.run(reported(main))
