"""make bench-training: one real run of few steps."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TRAINING = Path(__file__).parents[2] / "benchmarks" / "training"


@pytest.mark.slow
def test_every_model_takes_steps(tmp_path: Path) -> None:
    output = tmp_path / "steps.json"
    options = ["--batch", "2", "--rounds", "3", "--output", str(output)]
    run = subprocess.run([sys.executable, str(TRAINING), "dorefa", *options], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (row,) = json.loads(output.read_text())["steps"].items()
    assert row[0] == "dorefa"
    assert set(row[1]) == {"plain_ms", "bnn_ms", "step_ms"}
    assert "dorefa" in run.stdout
    assert all(milliseconds > 0 for milliseconds in row[1].values())
