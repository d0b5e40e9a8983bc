"""make bench-training: one real run of few steps, and the page that shows the results."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path += [str(BENCHMARKS / "bench"), str(BENCHMARKS / "training")]

import step_page  # noqa: E402
from records import read_all  # noqa: E402
from step_record import StepResult  # noqa: E402


@pytest.mark.slow
def test_every_model_takes_steps(tmp_path: Path) -> None:
    output, page = tmp_path / "steps.json", step_page.PAGE.read_bytes()
    options = ["--batch", "2", "--rounds", "3", "--output", str(output)]
    command = [sys.executable, str(BENCHMARKS / "training"), "dorefa", *options]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    result = StepResult.load(output)
    (step,) = result.steps
    assert (result.batch, step.method) == (2, "dorefa")
    assert min(step.step_ms, step.bnn_ms, step.plain_ms) > 0
    ratios = [f"{step.step_ms / step.bnn_ms:.2f}×", f"{step.bnn_ms / step.plain_ms:.2f}×"]
    assert step_page.table(result).rows == [["dorefa", f"{step.step_ms:.0f}", *ratios]]
    assert all(ratio in run.stdout for ratio in ratios)
    assert step_page.PAGE.read_bytes() == page


def test_the_page_shows_the_results_that_are_kept(tmp_path: Path) -> None:
    shown = tmp_path / "performance.md"
    shown.write_bytes(step_page.PAGE.read_bytes())
    step_page.update(shown, read_all(BENCHMARKS / "results" / "training", StepResult))
    assert shown.read_bytes() == step_page.PAGE.read_bytes()
