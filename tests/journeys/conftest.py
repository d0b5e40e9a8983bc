"""A machine of one's own for each test: a home, a folder to train in, another to work in afterwards, and `mbnn`."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from tests.support.processes import default_signals


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Computer:
    """A home folder, and the folders `training` and `elsewhere` in it. `mbnn` runs a command in one of them.

    `answers` are those of all commands so far.
    """

    home: Path
    run: Callable[[list[str], Path], Answer]
    answers: list[Answer] = field(default_factory=list)

    @property
    def training(self) -> Path:
        return self.home / "training"

    @property
    def elsewhere(self) -> Path:
        return self.home / "elsewhere"

    def mbnn(self, *arguments: object, folder: Path | None = None) -> Answer:
        """Runs a command, in the training's folder by default. It must end well, and print nothing of its innards."""
        answer = self.run([str(argument) for argument in arguments], folder or self.training)
        self.answers.append(answer)
        assert answer.exit_code == 0, answer.stderr
        for foreign in ("Traceback", "E0000", "Corrupt JPEG", "Warning:", "{{node", "compared on random inputs"):
            assert foreign not in answer.stderr
        return answer


def _make_folders(home: Path) -> None:
    for name in ("training", "elsewhere"):
        (home / name).mkdir()


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    """Runs commands in this process, which spares each the seconds in which TensorFlow loads."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MBNN_DATA_DIR", raising=False)
    _make_folders(tmp_path)

    def run(arguments: list[str], folder: Path) -> Answer:
        monkeypatch.chdir(folder)
        result = CliRunner().invoke(app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    return Computer(tmp_path, run)


@pytest.fixture
def real_computer(tmp_path: Path) -> Computer:
    """Runs the console script itself, each command in a process of its own."""
    _make_folders(tmp_path)
    script = Path(sys.executable).with_name("mbnn")
    if not script.is_file():
        pytest.skip("the console script mbnn is not installed beside this Python")
    environment = {name: value for name, value in os.environ.items() if name != "MBNN_DATA_DIR"}
    environment |= {"HOME": str(tmp_path), "TFDS_DATA_DIR": str(tmp_path / "tfds")}

    def run(arguments: list[str], folder: Path) -> Answer:
        with default_signals():
            finished = subprocess.run(
                [script, *arguments],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        return Answer(finished.returncode, finished.stdout, finished.stderr)

    return Computer(tmp_path, run)
