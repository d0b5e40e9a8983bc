"""`mbnn profile`: latency and memory of a .tflite on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, binary_file, err, keep, labelled, out, print_json
from mobile_bnn.cli.locate import run_or_file
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.records import Profile
from mobile_bnn.run_folder import ModelFile, RunFolder

if TYPE_CHECKING:
    from mobile_bnn.profiling import Job, Refused

_MOST_THREADS = 256

EXAMPLE = "Example: mbnn profile runs/demo --threads 1,2    or    mbnn profile model.tflite --engine lce:indirect_bgemm"


def command(
    source: Annotated[Path, typer.Argument(help="A .tflite, or a run folder.")],
    engine: Annotated[
        list[str] | None,
        typer.Option(
            help="delegate (our own), delegate:avx2 or another instruction set, lce, lce:bgemm, lce:indirect_bgemm or "
            "litert; repeatable. By default what can run the file."
        ),
    ] = None,
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas.")] = "1,2",
    runs: Annotated[
        int | None,
        typer.Option(min=1, help="Inferences to time, exactly so many; by default 100, or more in half a second."),
    ] = None,
    warmup: Annotated[int, typer.Option(min=0, help="Inferences before that, not counted.")] = 10,
    output: Annotated[
        Path | None,
        typer.Option(help="Where to keep the result too (JSON); it lies in the run, or beside the .tflite, anyway."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure latency (median, p90, p99, min) and peak memory, each engine and thread count in a process of its own."""
    counts = thread_counts(threads)
    file = run_or_file(source)
    with file.writing():
        jobs = _jobs(file, engine or [], named=source.is_file())
        profile = measure(jobs, counts, runs=runs, warmup=warmup, on_refusal=None if engine else _leave_out)
        show_and_keep(profile, file.profile(profile.target), as_json=as_json)
    if output:
        profile.save(output)


def show_and_keep(profile: Profile, record: Path, *, as_json: bool) -> None:
    """Prints a profile, then keeps it in `record`: what was measured is not lost where nothing can be written."""
    if as_json:
        print_json(profile.model_dump())
    else:
        from mobile_bnn import report

        out.print(report.profile_table(profile))
    keep(lambda: profile.save(record))


def profile_run(run: RunFolder, threads: list[int]) -> Profile:
    """Profiles a run's binary file with every engine that can run it, and its float file with stock LiteRT."""
    return measure(_jobs(run, []), threads, on_refusal=_leave_out)


def _leave_out(what: str, why: MobileBnnError) -> None:
    """An engine that the user did not ask for does not end the measurements of the others."""
    err.print(labelled("left out:", "yellow", f"{what}: {why}"), soft_wrap=True)


def measure(
    jobs: list["Job"],
    threads: list[int],
    *,
    runs: int | None = None,
    warmup: int = 10,
    on_refusal: "Refused | None" = None,
) -> Profile:
    """Measures, with a status line on standard error."""
    from mobile_bnn import profiling

    with err.status("profiling") as status:
        return profiling.profile(
            jobs,
            runs=runs,
            warmup=warmup,
            threads=threads,
            on_progress=lambda done, total, what: status.update(f"profiling {min(done + 1, total)} of {total}: {what}"),
            on_refusal=on_refusal,
        )


def _jobs(file: RunFolder, engines: list[str], *, named: bool = False) -> list["Job"]:
    """A file with its engines, and its float twin with stock LiteRT, which has no binary operators, as the baseline.

    Engines that are asked for run the very file if it was `named`, not its run.
    """
    from mobile_bnn.profiling import jobs_for

    alone, twin = isinstance(file, ModelFile), file.float_tflite
    path = file.tflite if alone else binary_file(file)
    if (named and engines) or (alone and not _is_binary(path)):
        return jobs_for(path, engines or ["litert"])
    jobs = jobs_for(path, [name for name in engines or _installed() if not name.startswith("litert")])
    floats = [name for name in engines or ["litert"] if name.startswith("litert")]
    return jobs + (jobs_for(twin, floats) if twin.is_file() else [])


def _is_binary(path: Path) -> bool:
    from mobile_bnn.runtime import operator_table

    return any(operator.binary for operator in operator_table(path).operators)


def _installed() -> list[str]:
    """The engines for binary files that are here: LCE has no package for a Raspberry Pi."""
    from mobile_bnn.profiling import ENGINES

    return [name for name in ("delegate", "lce") if not ENGINES[name].unavailable()] or ["delegate"]


def thread_counts(text: str) -> list[int]:
    """The counts of an option such as --threads 1,2,4.

    Raises:
        UsageError: the text is not such a list, or a count is out of range.
    """
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError as error:
        what = f"--threads {text!r} is not a list of thread counts"
        raise UsageError(what, cure="For example: --threads 1,2,4") from error
    if wrong := [count for count in counts if not 1 <= count <= _MOST_THREADS]:
        raise UsageError(f"--threads {text}: {wrong[0]} is out of range", cure=f"Give counts of 1 to {_MOST_THREADS}")
    return counts
