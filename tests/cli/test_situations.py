"""Every command where things go wrong: two at once, killed, a full disk, a folder that is read-only."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mobile_bnn.cli.main import app
from mobile_bnn.files import sha256
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import read_model
from tests.support.processes import popen_with_default_signals

RUNNER = CliRunner()
QUICK = {"profile": ["--engine", "delegate", "--runs", "3", "--threads", "1"], "verify": ["--limit", "16"]}
WRITERS = ["train --resume", "train --fresh --zoo binary_lenet", "convert", "verify", "profile", "demo"]
READERS = ["report", "inspect", "lint", "export-weights"]


def line(command: str, run: RunFolder) -> list[str]:
    """A command on a run, with what makes it quick."""
    name, *options = command.split()
    return [name, *(["--run"] if name in ("train", "demo") else []), str(run), *options, *QUICK.get(name, [])]


def content(run: RunFolder) -> dict[str, str]:
    """Each file of a run by its hash."""
    files = (path for path in run.path.rglob("*") if path.is_file() and path != run.lock)
    return {str(path.relative_to(run.path)): sha256(path) for path in files}


@pytest.mark.parametrize("command", WRITERS)
def test_a_second_writer_is_refused_and_changes_nothing(own_run: RunFolder, command: str) -> None:
    before = content(own_run)
    with own_run.writing():
        result = RUNNER.invoke(app, line(command, own_run))
    assert result.exit_code == 1
    assert f"another mbnn (process {os.getpid()}) is writing to {own_run}. Wait until it has ended" in result.stderr
    assert content(own_run) == before


@pytest.mark.parametrize("command", READERS)
def test_a_reader_never_waits_for_a_writer(own_run: RunFolder, command: str) -> None:
    with own_run.writing():
        result = RUNNER.invoke(app, line(command, own_run))
    assert result.exit_code == 0, result.output


def test_a_file_for_a_run_that_another_writes_to_is_refused(own_run: RunFolder, tmp_path: Path) -> None:
    model = shutil.copy(own_run.model, tmp_path / "mine.keras")
    with own_run.writing():
        result = RUNNER.invoke(app, ["convert", str(model), "--output", str(own_run.tflite)])
    assert result.exit_code == 1
    assert "is writing to" in result.stderr


@pytest.mark.slow
def test_of_two_trainings_at_once_one_wins_whole(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    command = [sys.executable, "-m", "mobile_bnn.cli.main", "train", "--fresh", "--zoo", "binary_lenet"]
    options = ["--epochs", "1", "--batch-size", "256", "--run", str(run)]
    both = [
        subprocess.Popen([*command, *options, "--seed", str(seed)], stderr=subprocess.PIPE, text=True)
        for seed in (1, 2)
    ]
    told = [process.communicate()[1] for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes) == [0, 1], told
    loser = codes.index(1)
    assert f"another mbnn (process {both[1 - loser].pid}) is writing to {run}" in told[loser]
    assert f"seed = {2 - loser}" in run.recipe.read_text()
    assert len(History.load(run.history).epochs) == 1


def changed(run: RunFolder, before: dict[str, int]) -> bool:
    """Whether a file of a run came, went, or was written to; temporary ones count."""
    found = {}
    for path in run.path.rglob("*"):
        with suppress(FileNotFoundError):
            found[str(path)] = path.stat().st_mtime_ns
    return {name: when for name, when in found.items() if name != str(run.lock)} != before


@pytest.mark.slow
@pytest.mark.parametrize("command", ["convert --int8", "verify", "profile", "report", "export-weights"])
def test_a_killed_command_leaves_whole_files_and_no_lock(own_run: RunFolder, command: str) -> None:
    before = {str(path): path.stat().st_mtime_ns for path in own_run.path.rglob("*") if path != own_run.lock}
    process = popen_with_default_signals(
        [sys.executable, "-m", "mobile_bnn.cli.main", *line(command, own_run)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not changed(own_run, before):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for path in (own_run.tflite, own_run.float_tflite):
        read_model(path)
    Operators.load(own_run.operators)
    Verification.load(own_run.verification)
    Profile.load(own_run.profile())
    with own_run.writing():  # which clears away what was left half done
        leftovers = [path.name for path in own_run.path.glob(".*.part*")]
    assert [name for name in leftovers if not name.startswith((".report.html.", ".weights.npz."))] == []


@pytest.fixture(params=["a full disk", "a read-only folder"])
def stuck(request: pytest.FixtureRequest, small_run: Path, tmp_path: Path) -> Iterator[tuple[RunFolder, str]]:
    """A run that nothing can be written to, and the system's words for why."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        run = RunFolder(shutil.copytree(small_run, place / "run"))
        if request.param == "a full disk":
            with suppress(OSError), (place / "filling").open("wb", buffering=0) as file:
                while file.write(b"x" * 4096):
                    pass
            yield run, "No space left on device"
        else:
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
            yield run, "Read-only file system"
    finally:
        subprocess.run(["umount", place], check=True)


def _kept_nothing(command: str, figure: str) -> Callable[[RunFolder, str], None]:
    def check(run: RunFolder, why: str) -> None:
        result = RUNNER.invoke(app, line(command, run))
        assert (result.exit_code, figure in result.stdout) == (0, True), result.output
        assert f"not kept: {why}: {run}" in result.stderr

    return check


def _failed(command: str, figure: str = "") -> Callable[[RunFolder, str], None]:
    def check(run: RunFolder, why: str) -> None:
        result = RUNNER.invoke(app, line(command, run))
        assert result.exit_code == 1, result.output
        assert figure in result.stdout
        errors = [text for text in result.stderr.splitlines() if text.startswith("error:")]
        assert len(errors) == 1
        assert why in errors[0] or f"{run} cannot be written to" in errors[0]
        assert str(run) in errors[0]

    return check


def test_where_nothing_can_be_written_nothing_measured_is_lost(stuck: tuple[RunFolder, str]) -> None:
    """One line tells what, where and why; the files of before stay as they are."""
    run, why = stuck
    before = content(run)
    for check in (
        _kept_nothing("verify", "Top-1, file"),
        _kept_nothing("profile", "median"),
        _failed("report", "Top-1 of the file"),
        _failed("export-weights"),
        _failed("convert"),
        _failed("train --resume --epochs 3"),
    ):
        check(run, why)
        assert content(run) == before
