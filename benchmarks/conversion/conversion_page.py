"""Shows results: a table for the terminal and for docs/performance.md, between two markers."""

from pathlib import Path

from conversion_record import ConversionResult
from one_conversion import LCE, OURS
from page import Table, heading, put_between

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- make bench-conversion: begin -->", "<!-- make bench-conversion: end -->"


def table(result: ConversionResult) -> Table:
    """One row for each model: both converters' figures and how many times less ours are."""
    head = [
        "",
        *(
            f"{what}, {who}"
            for what in ("seconds", "CPU seconds", "memory (MB)", "file (MB)")
            for who in ("LCE", "ours")
        ),
    ]
    models = dict.fromkeys(figure.model for figure in result.figures)
    return Table(
        "Conversion, verification apart",
        [*head, "times faster", "times less CPU"],
        [_row(result, model) for model in models],
    )


def _row(result: ConversionResult, model: str) -> list[str]:
    lce, ours = (result.figure(model, converter) for converter in (LCE, OURS))
    seconds = [f"{figure.seconds:.2f}" for figure in (lce, ours)]
    cpu_seconds = [f"{figure.cpu_seconds:.2f}" for figure in (lce, ours)]
    memory = [f"{figure.memory_bytes / 1e6:,.0f}" for figure in (lce, ours)]
    sizes = [f"{figure.file_bytes / 1e6:.2f}" for figure in (lce, ours)]
    ratios = (lce.seconds / ours.seconds, lce.cpu_seconds / ours.cpu_seconds)
    return [model, *seconds, *cpu_seconds, *memory, *sizes, *(f"{ratio:.1f}×" for ratio in ratios)]


def update(page: Path, results: list[ConversionResult]) -> None:
    """Puts the results between the markers of the page, atomically."""
    put_between(page, BEGIN, END, "\n".join(heading(result) + table(result).to_markdown() for result in results))
