"""`mbnn profile`: latency and memory of a .tflite on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, binary_file, err, out, print_json, run_folder
from mobile_bnn.cli.convert import is_run
from mobile_bnn.errors import UsageError
from mobile_bnn.runs import Profile, RunFolder

if TYPE_CHECKING:
    from mobile_bnn.profiling import Job

EXAMPLE = "Example: mbnn profile runs/demo --threads 1,2    or    mbnn profile model.tflite --engine lce:indirect_bgemm"


def command(
    source: Annotated[Path, typer.Argument(help="A .tflite, or a run folder.")],
    engine: Annotated[
        list[str] | None,
        typer.Option(
            help="delegate (our own), lce, lce:bgemm, lce:indirect_bgemm or litert; repeatable. "
            "By default what can run the file."
        ),
    ] = None,
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas.")] = "1,2",
    runs: Annotated[int, typer.Option(min=1, help="Inferences to time.")] = 100,
    warmup: Annotated[int, typer.Option(min=0, help="Inferences before that, not counted.")] = 10,
    output: Annotated[Path | None, typer.Option(help="Where to keep the result (JSON); a run keeps its own.")] = None,
    as_json: Json = False,
) -> None:
    """Measure latency (median, p90, p99, min) and peak memory, each engine and thread count in a process of its own."""
    counts = thread_counts(threads)
    run = run_folder(source) if is_run(source) else None
    profile = measure(_jobs(run, source, engine or []), counts, runs=runs, warmup=warmup)
    if run:
        profile.save(run.profile)
    if output:
        profile.save(output)
    if as_json:
        print_json(profile.model_dump())
    else:
        from mobile_bnn import report

        out.print(report.profile_table(profile))


def profile_run(run: RunFolder, threads: list[int]) -> Profile:
    """Profiles a run's binary file with every engine that can run it, and its float file with stock LiteRT."""
    profile = measure(_jobs(run, run.path, []), threads)
    profile.save(run.profile)
    return profile


def measure(jobs: list["Job"], threads: list[int], *, runs: int = 100, warmup: int = 10) -> Profile:
    """Measures, with a status line on standard error."""
    from mobile_bnn import profiling

    with err.status("profiling") as status:
        return profiling.profile(
            jobs,
            runs=runs,
            warmup=warmup,
            threads=threads,
            on_progress=lambda done, total, what: status.update(f"profiling {done + 1} of {total}: {what}"),
        )


def _jobs(run: RunFolder | None, source: Path, engines: list[str]) -> list["Job"]:
    from mobile_bnn.profiling import jobs_for

    if run is None:
        return jobs_for(source, engines or [_default_engine(source)])
    binary = binary_file(run)
    jobs = jobs_for(binary, [name for name in engines or ["delegate", "lce"] if not name.startswith("litert")])
    floats = [name for name in engines or ["litert"] if name.startswith("litert")]
    # Stock LiteRT has no binary operators: in a run it measures the float file, which is the baseline.
    return jobs + (jobs_for(run.float_tflite, floats) if run.float_tflite.is_file() else [])


def _default_engine(path: Path) -> str:
    from mobile_bnn.profiling import operator_table

    return "delegate" if any(operator.binary for operator in operator_table(path).operators) else "litert"


def thread_counts(text: str) -> list[int]:
    """The counts of an option such as --threads 1,2,4.

    Raises:
        UsageError: the text is no such list.
    """
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1 or max(counts) > 256:
        raise UsageError(f"--threads {text!r} is not a list of thread counts", cure="For example: --threads 1,2,4")
    return counts
