"""Shows results: a table for the terminal and for docs/performance.md, between two markers."""

from pathlib import Path

from conversion_record import ConversionResult, Figure
from one_conversion import LCE
from page import Table, heading, put_between

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- make bench-conversion: begin -->", "<!-- make bench-conversion: end -->"


def table(result: ConversionResult) -> Table:
    """One row for each model and converter, with how many times LCE's time and memory are those of the row."""
    head = ["", "seconds", "CPU seconds", "memory (MB)", "file (MB)", "LCE's seconds", "LCE's memory"]
    return Table("Conversion", head, [_row(result, figure) for figure in result.figures])


def _row(result: ConversionResult, figure: Figure) -> list[str]:
    lce = result.figure(figure.model, LCE)
    return [
        f"{figure.model}: {figure.converter}",
        f"{figure.seconds:.2f}",
        f"{figure.cpu_seconds:.2f}",
        f"{figure.memory_bytes / 1e6:,.0f}",
        f"{figure.file_bytes / 1e6:.2f}",
        f"{lce.seconds / figure.seconds:.1f}×",
        f"{lce.memory_bytes / max(figure.memory_bytes, 1):.1f}×",
    ]


def update(page: Path, results: list[ConversionResult]) -> None:
    """Puts the results between the markers of the page, atomically."""
    put_between(page, BEGIN, END, "\n".join(heading(result) + table(result).to_markdown() for result in results))
