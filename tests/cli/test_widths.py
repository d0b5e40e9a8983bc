"""Every command in narrow terminals: each number whole, each row with its name, no line wider than the terminal."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mobile_bnn.cli import doctor
from mobile_bnn.cli.console import PlainConsole
from mobile_bnn.cli.main import app
from mobile_bnn.cli.progress import progress
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import Operators
from mobile_bnn.run_folder import RunFolder

WIDTHS = [20, 40, 60, 79, 80, 120]
WIDE = 1000  # where nothing has to give way
NUMBER = re.compile(r"[<>+−]?\d[\d,.]*(e[−+]\d+)?[×%]?")
# Those that load no TensorFlow, at every width; the others at one.
QUICK = ["report {run}", "inspect {run}/model.tflite", "zoo list", "methods list", "methods show dorefa"]
SLOW = ["verify {run} --limit 16", "lint {run}", "inspect {run}", "zoo show binary_lenet", "convert {run}", "doctor"]
COMMANDS = ["demo", "train", "lint", "convert", "verify", "inspect", "export-weights", "profile", "report", "doctor"]
COMMANDS += ["import-weights", "devices", "deploy", "predict", "compare", "export-profile"]
GROUPS = ["", "zoo", "zoo list", "zoo show", "zoo baseline", "methods", "methods list", "methods show"]


def shown(command: str, width: int, run: Path | None = None) -> str:
    arguments = [argument.replace("{run}", str(run)) for argument in command.split()]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": str(width)})
    assert result.exit_code == 0, result.output
    return result.stdout


def numbers(text: str) -> Counter[str]:
    words = (word.rstrip(":") for word in text.split())
    return Counter(word for word in words if NUMBER.fullmatch(word))


def check(narrow: str, wide: str, width: int) -> None:
    """Whether the narrow one tells what the wide one does; lines that only name a file may be wider than it."""
    assert numbers(wide) - numbers(narrow) == Counter()
    assert "…" not in narrow
    lines = [line for line in narrow.splitlines() if "/" not in line]
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", QUICK)
def test_every_number_is_whole(own_run: RunFolder, command: str, width: int) -> None:
    wide, narrow = (shown(command, columns, own_run.path) for columns in (WIDE, width))
    check(narrow, wide, width)
    if command.startswith("report"):
        profile, operators = Profile.load(own_run.profile()), Operators.load(own_run.operators)
        words = Counter(narrow.split())
        for name in ("delegate", "lce", "litert", "xnnpack"):
            assert words[name] >= sum(name in (each.engine, each.kernel) for each in profile.measurements)
        for each in profile.measurements:
            assert words[f"{each.median_ms:#.3g}".rstrip(".")] >= 1
        for operator in operators.operators:
            assert words[f"{operator.weight_bytes:,}"] >= 1
            assert words[f"{operator.output_bytes:,}"] >= 1


@pytest.mark.parametrize("width", [20, 40])
@pytest.mark.parametrize("command", SLOW)
def test_of_the_others_too(own_run: RunFolder, command: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if command == "doctor":  # what it finds changes from one moment to the next
        found = [check() for check in doctor._CHECKS]
        monkeypatch.setattr(doctor, "_CHECKS", [lambda each=each: each for each in found])
    check(shown(command, width, own_run.path), shown(command, WIDE, own_run.path), width)


@pytest.mark.parametrize("width", [20, 40, 71, 72, 80, 120])
@pytest.mark.parametrize("command", [*COMMANDS, *GROUPS])
def test_help_names_every_option(command: str, width: int) -> None:
    text = shown(f"{command} --help", width)
    wide = shown(f"{command} --help", 300)
    assert "…" not in text
    options = set(re.findall(r"(?<![\w-])--[a-z0-9-]+", wide))
    if width > 20:  # there some names are longer than what is left of a line
        assert options <= set(re.findall(r"(?<![\w-])--[a-z0-9-]+", text))
    assert max(map(len, text.splitlines())) <= width


def in_terminal(arguments: list[str], columns: int, **environment: str) -> str:
    """What a command writes to a terminal of so many columns, colours left out."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "mobile_bnn.cli.main", *arguments]
    clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env={**clean, **environment}):
        os.close(theirs)
        written = b""
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:  # the other side was closed
                break
            if not read:
                break
            written += read
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode("utf-8")).replace("\r\n", "\n")


@pytest.mark.parametrize("kind", ["xterm-256color", "dumb"])
def test_in_a_real_terminal(own_run: RunFolder, kind: str) -> None:
    narrow = in_terminal(["report", str(own_run)], 40, TERM=kind)
    check(narrow, shown(f"report {own_run}", WIDE), 40)


@pytest.mark.parametrize("width", [20, 36, 40, 75, 76, 80, 120])
def test_the_numbers_of_progress_bars_are_whole(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr("mobile_bnn.cli.progress.err", PlainConsole(stderr=True))
    with progress("verifying", 123_456, "images") as advance:
        advance(123_455)
        time.sleep(0.3)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sys.stderr.getvalue())
    assert "…" not in drawn
    assert ("123455/123456" if width >= 36 else "100%") in drawn
    assert max(map(len, re.split(r"[\r\n]", drawn))) <= width


def test_what_is_piped_is_as_wide_as_its_tables(own_run: RunFolder) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "mobile_bnn.cli.main", "report", str(own_run)]
    piped = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert re.search(r"\n local +delegate · ", piped)  # in a table, not in blocks
    assert max(map(len, piped.splitlines())) <= 160
