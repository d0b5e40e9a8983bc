"""`mbnn profile`: latency and memory of a .tflite on a target."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import Json, out, print_json, tell_if_not_kept
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.errors import UsageError

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
    target: Annotated[str, typer.Option(help="Where to measure: local, this machine.")] = "local",
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
    from mobile_bnn import pipeline

    counts = thread_counts(threads)
    profiled = pipeline.profile(
        source, target=target, engines=engine or (), threads=counts, runs=runs, warmup=warmup, watcher=Terminal()
    )
    if as_json:
        print_json(profiled.record.model_dump())
    else:
        out.print(profiled)
    tell_if_not_kept(profiled.kept)
    if output:
        profiled.record.save(output)


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
