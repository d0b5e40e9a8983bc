"""`mbnn profile`: latency and memory of a .tflite on targets."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, labelled, out, print_json, tell_if_not_kept
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.errors import MobileBnnError, UsageError

if TYPE_CHECKING:
    from mobile_bnn.pipeline import Profiled

_MOST_THREADS = 256

EXAMPLE = (
    "Example: mbnn profile runs/demo --threads 1,2    or    mbnn profile model.tflite --target local "
    "--target ssh://pi@raspberrypi --against mobilenet.tflite    or    mbnn profile model.tflite --max-ms 5"
)


def command(
    source: Annotated[Path, typer.Argument(help="A .tflite, or a run folder.")],
    engine: Annotated[
        list[str] | None,
        typer.Option(
            help="delegate (our own), delegate:avx2 or another instruction set, lce, lce:bgemm, lce:indirect_bgemm, "
            "litert or litert:plain (without XNNPACK); repeatable. By default what can run the file."
        ),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Another .tflite to measure in the same session, in turns with this one; repeatable."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="Where to measure: local, ssh://user@host, adb://SERIAL; repeatable. By default local, this machine."
        ),
    ] = None,
    benchmark_model: Annotated[
        Path | None, typer.Option(help="Your own TFLite benchmark_model, to measure with on a phone too.")
    ] = None,
    lce_benchmark: Annotated[
        Path | None, typer.Option(help="LCE's lce_benchmark_model, to measure with on a phone too.")
    ] = None,
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas; 1-4 is a range.")] = "1,2",
    cores: Annotated[
        str, typer.Option(help="Pin it to kinds of cores: all, big, middle, little, separated by commas.")
    ] = "",
    runs: Annotated[
        int | None,
        typer.Option(min=1, help="Inferences to time, exactly so many; by default 100, or more in half a second."),
    ] = None,
    warmup: Annotated[
        int | None,
        typer.Option(min=0, help="Inferences before that, not counted; by default until their times are stable."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Processes that share the runs and take turns.")] = 3,
    cool_to: Annotated[
        float | None, typer.Option(help="Degrees Celsius to let the device cool down to before each of them.")
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(help="A .npy of inputs on which its outputs are compared with the float file; else random ones."),
    ] = None,
    max_ms: Annotated[
        float | None, typer.Option(help="Exit with 1 if the file's fastest median is above this.")
    ] = None,
    max_mb: Annotated[float | None, typer.Option(help="Exit with 1 if its peak memory is above this.")] = None,
    history: Annotated[
        Path | None, typer.Option(help="A folder that collects profiles; mbnn compare --history shows the trend.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an interrupted session measured.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Where to keep the result too (JSON); it lies in the run, or beside the .tflite, anyway."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure latency (median, p90, p99, min), peak memory and operators; every figure in processes of its own."""
    from mobile_bnn import pipeline
    from mobile_bnn.profiling.limits import check_numbers

    counts, kinds, urls = thread_counts(threads), _names(cores), list(dict.fromkeys(target or ["local"]))
    check_numbers(max_ms, max_mb)
    tools = _name_tools(benchmark_model, lce_benchmark)
    engines = [*(engine or (["delegate", "litert"] if tools else [])), *tools]
    if output and len(urls) > 1:
        raise UsageError("--output keeps the result of one target", cure="Leave it out: each has a file in profiles/")
    profiled: list[Profiled] = []
    for url in urls:
        profiled.append(
            pipeline.profile(
                source,
                target=url,
                engines=engines,
                against=against or (),
                threads=counts,
                cores=kinds,
                runs=runs,
                warmup=warmup,
                rounds=rounds,
                cool_to=cool_to,
                samples=samples,
                resume=resume,
                watcher=Terminal(),
            )
        )
        tell_if_not_kept(profiled[-1].kept)
        _keep(profiled[-1], history, output)
    if as_json:
        records = [each.record.model_dump() for each in profiled]
        print_json(records[0] if len(records) == 1 else {"profiles": records})
    else:
        for each in profiled:
            out.print(each)
    _check(profiled, max_ms, max_mb)


def _name_tools(benchmark_model: Path | None, lce_benchmark_model: Path | None) -> list[str]:
    """Lets targets know the user's own programs, and returns the engines that they are."""
    from mobile_bnn.profiling.benchmark_model import TOOLS

    given = {"benchmark_model": benchmark_model, "lce_benchmark_model": lce_benchmark_model}
    for name, path in given.items():
        if path is not None:
            if not path.is_file():
                raise UsageError(f"there is no file {path}")
            os.environ[TOOLS[name].variable] = str(path)
    return [name for name, path in given.items() if path is not None]


def _keep(profiled: "Profiled", history: Path | None, output: Path | None) -> None:
    if output:
        profiled.record.save(output)
    if history:
        from mobile_bnn.profiling.history import add

        add(profiled.record, history)


def _check(profiled: "list[Profiled]", max_ms: float | None, max_mb: float | None) -> None:
    """Ends with exit code 1 where a limit is broken, in a line for each."""
    from mobile_bnn.profiling.limits import check_limits

    broken = [line for each in profiled for line in check_limits(each.record, max_ms=max_ms, max_mb=max_mb)]
    if broken:
        from mobile_bnn.cli.console import err

        for line in broken:
            err.print(labelled("limit:", "bold red", line), soft_wrap=True)
        raise typer.Exit(MobileBnnError.exit_code)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def thread_counts(text: str) -> list[int]:
    """The counts of an option such as --threads 1,2,4 or 1-4.

    Raises:
        UsageError: the text is not such a list, or a count is out of range.
    """
    counts: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            counts += range(int(first), min(int(last), _MOST_THREADS + 1) + 1) if dash and first else [int(part)]
    except ValueError as error:
        what = f"--threads {text!r} is not a list of thread counts"
        raise UsageError(what, cure="For example: --threads 1,2,4") from error
    if not counts:
        raise UsageError(f"--threads {text!r} is not a list of thread counts", cure="For example: --threads 1-4")
    if wrong := [count for count in counts if not 1 <= count <= _MOST_THREADS]:
        raise UsageError(f"--threads {text}: {wrong[0]} is out of range", cure=f"Give counts of 1 to {_MOST_THREADS}")
    return list(dict.fromkeys(counts))
