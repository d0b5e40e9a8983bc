"""Ctrl-C at any moment of a command's life, from before its imports to its end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.processes import popen_with_default_signals

COMMAND = [sys.executable, "-m", "mobile_bnn.cli.main"]
# What the process says on its standard output as soon as mobile_bnn's own first line runs: before that it is Python's.
BEGUN = """
import os, sys
from mobile_bnn.cli import interrupts
before = interrupts.end_at_once
def begun():
    before()
    interrupts.end_at_once = before
    os.write(1, b"begun\\n")
interrupts.end_at_once = begun
from mobile_bnn.cli.main import main
main()
"""


def interrupted(arguments: list[str], seconds: float) -> tuple[int, str]:
    """Exit code and standard error of a command that hears Ctrl-C so many seconds after its first line."""
    process = popen_with_default_signals(
        [sys.executable, "-c", BEGUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begun\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    return process.returncode, told


@pytest.mark.parametrize("seconds", [0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6])
def test_at_any_moment_of_the_start(tmp_path: Path, seconds: float) -> None:
    code, told = interrupted(["train", "--zoo", "resnet20", "--run", str(tmp_path / "run")], seconds)
    assert code == 130
    assert told in ("", "interrupted; every file that was written is whole\n")


@pytest.mark.slow
def test_while_the_job_runs(tmp_path: Path) -> None:
    command = [*COMMAND, "train", "--zoo", "binary_lenet", "--epochs", "500", "--run", str(tmp_path / "run")]
    process = popen_with_default_signals(command, stderr=subprocess.PIPE, text=True)
    while "epoch   1/500" not in (line := process.stderr.readline()):
        assert line, process.wait()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.endswith("interrupted; every file that was written is whole\n")
    assert "Traceback" not in told


def test_a_background_job_keeps_ignoring_it() -> None:
    ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *COMMAND, "zoo", "list"]
    process = subprocess.Popen(ignoring, stdout=subprocess.PIPE, text=True)
    for _ in range(20):
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "binary_lenet" in shown


@pytest.mark.parametrize("swallowed", ["ImportError", "RuntimeError", "a callback"])
def test_an_interrupt_that_other_code_turns_into_something_else(swallowed: str) -> None:
    """Imports do so: an interrupted one may raise an ImportError, and Python drops exceptions of callbacks."""
    program = f"""
import os, signal, sys, time, weakref
from mobile_bnn.cli import doctor, interrupts

def interrupted():
    def here(_=None):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    if {swallowed!r} == "a callback":
        thing = type("Thing", (), {{}})()
        watched = weakref.ref(thing, here)
        del thing
        for _ in range(600):
            time.sleep(0.1)
    try:
        here()
    except KeyboardInterrupt as error:
        raise {swallowed.replace("a callback", "SystemError")}("numpy.core.multiarray failed to import") from error

doctor._CHECKS = (interrupted,)
sys.argv = ["mbnn", "doctor"]
from mobile_bnn.cli.main import main
main()
"""
    process = popen_with_default_signals([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    _, told = process.communicate(timeout=50)
    assert (process.returncode, told) == (130, "interrupted; every file that was written is whole\n")
