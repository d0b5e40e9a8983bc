"""Shows results: a table for the terminal and for docs/performance.md, between two markers."""

from pathlib import Path

from page import Table, heading, put_between
from step_record import Step, StepResult

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- make bench-training: begin -->", "<!-- make bench-training: end -->"


def table(result: StepResult) -> Table:
    """One row for each method, with how its step compares to bnn's, and bnn's to the plain one, in the same turns."""
    head = ["", "step (ms)", "beside bnn", "bnn beside plain"]
    title = f"A training step of {result.zoo}, {result.batch} images"
    return Table(title, head, [_row(step) for step in result.steps])


def _row(step: Step) -> list[str]:
    ratios = step.step_ms / step.bnn_ms, step.bnn_ms / step.plain_ms
    return [step.method, f"{step.step_ms:.0f}", *(f"{ratio:.2f}×" for ratio in ratios)]


def update(page: Path, results: list[StepResult]) -> None:
    """Puts the results between the markers of the page, atomically."""
    put_between(
        page, BEGIN, END, "\n".join(heading(result, "least") + table(result).to_markdown() for result in results)
    )
