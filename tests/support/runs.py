"""Runs of the smallest network for the tests of the commands, made once; each test has a copy of its own."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mobile_bnn.run_folder import RunFolder
from tests.support.shared import Once


def _make(folder: Path) -> None:
    from mobile_bnn.cli.main import app

    run = str(folder / "run")
    for command in (
        ["train", "--zoo", "binary_lenet", "--epochs", "2", "--run", run],
        ["convert", run],
        ["verify", run, "--limit", "64"],
        ["profile", run, "--runs", "5", "--warmup", "1", "--threads", "1"],
    ):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def small_run(once: Once) -> Path:
    """A run folder in which every stage but the report has run, on two epochs of the digits; not to be changed."""
    return once("small-run", _make) / "run"


@pytest.fixture
def own_run(small_run: Path, tmp_path: Path) -> RunFolder:
    """A copy of it that a test may change."""
    return RunFolder(shutil.copytree(small_run, tmp_path / "run"))
