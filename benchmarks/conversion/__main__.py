"""Our converter beside LCE's, and TensorFlow's to float: time, memory and size, each in a process of its own.

make bench-conversion, or: python benchmarks/conversion [--models NAME,NAME] [--rounds 3]
"""

import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

sys.path.append(str(Path(__file__).parents[1] / "bench"))

import typer
from conversion_page import PAGE, table, update
from conversion_record import ConversionResult, Figure
from large_model import NAME as LARGE
from one_conversion import CONVERTERS, measure
from records import cpu_of, read_all

from mobile_bnn import zoo
from mobile_bnn.cli.console import err, out, reported
from mobile_bnn.cli.progress import progress
from mobile_bnn.profiling import local_machine

MODELS = ("quicknet_small", "xnornet", LARGE)
RESULTS = Path(__file__).parents[1] / "results" / "conversion"
Measured = tuple[float, float, int, int]
PACKAGES = ("mobile-bnn", "larq-compute-engine", "tensorflow")


def main(
    models: Annotated[
        str, typer.Option(help=f"Models of the zoo, separated by commas; {LARGE} has 120 million weights.")
    ] = ",".join(MODELS),
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the figure is their median.")] = 3,
    output: Annotated[
        Path | None, typer.Option(help="Keep the result (JSON) here, and leave the page as it is.")
    ] = None,
) -> None:
    """Convert with every converter in turns, print ratios, and bring docs/performance.md up to date.

    The result is kept in benchmarks/results/conversion/, and goes into the page, if no other models were asked for.
    """
    names = [name.strip() for name in models.split(",")]
    chosen = tuple(name if name == LARGE else zoo.get(name).name for name in names)
    result = _measure(chosen, rounds)
    out.print(f"{result.cpu}, load {result.machine.load_1min:.1f} before the run")
    out.print(table(result).to_rich())
    if output:
        result.save(output)
    elif chosen == MODELS:
        result.save(RESULTS / result.file_name)
        update(PAGE, read_all(RESULTS, ConversionResult))
        err.print(f"kept as {RESULTS / result.file_name}, shown in {PAGE}", soft_wrap=True)


def _measure(models: Sequence[str], rounds: int) -> ConversionResult:
    machine = local_machine()
    runs = [(model, converter) for model in models for converter in CONVERTERS]
    figures: dict[tuple[str, str], list[Measured]] = {run: [] for run in runs}
    with progress("converting", rounds * len(runs), "processes") as advance:
        for _ in range(rounds):
            for model, converter in runs:
                figures[model, converter].append(measure(converter, model))
                advance(1)
    return ConversionResult(
        cpu=cpu_of(machine),
        machine=machine,
        versions={package: version(package) for package in PACKAGES},
        rounds=rounds,
        figures=[_median(*run, figures[run]) for run in runs],
    )


def _median(model: str, converter: str, figures: list[Measured]) -> Figure:
    seconds, cpu_seconds, memory, sizes = zip(*figures, strict=True)
    return Figure(
        model=model,
        converter=converter,
        seconds=statistics.median(seconds),
        cpu_seconds=statistics.median(cpu_seconds),
        memory_bytes=int(statistics.median(memory)),
        file_bytes=int(statistics.median(sizes)),
    )


if __name__ == "__main__":
    typer.run(reported(main))
