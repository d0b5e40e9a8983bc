"""Every command with standard streams that are closed, missing, full, or whose encoding lacks letters.

Each command is a real process here: what a closed descriptor does begins before Python.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mobile_bnn.cli import streams
from mobile_bnn.cli.console import PlainConsole
from mobile_bnn.cli.main import app
from mobile_bnn.cli.progress import progress
from mobile_bnn.files import sha256
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.runtime import read_model

COMMAND = [sys.executable, "-m", "mobile_bnn.cli.main"]
QUICK = ["--runs", "3", "--threads", "1", "--engine", "delegate"]
# A path that looks like rich's markup and emoji, with letters that ASCII and Latin-1 lack.
NAME = "x[red]y [/b]a:car:±−"
# Of every command what it works on; {run} is a run folder of that name. Those that load TensorFlow come last.
LIGHT = {
    "help": ["train", "--help"],
    "version": ["--version"],
    "methods list": ["methods", "list"],
    "methods show": ["methods", "show", "dorefa"],
    "zoo list": ["zoo", "list"],
    "inspect": ["inspect", "{run}/model.tflite"],
    "export-weights": ["export-weights", "{run}"],
    "profile": ["profile", "{run}", *QUICK],
    "report": ["report", "{run}"],
}
HEAVY = {
    "zoo show": ["zoo", "show", "binary_lenet"],
    "doctor": ["doctor"],
    "lint": ["lint", "{run}"],
    "convert": ["convert", "{run}"],
    "verify": ["verify", "{run}", "--limit", "16"],
    "train": ["train", "--fresh", "--zoo", "binary_lenet", "--epochs", "1", "--run", "{run}"],
    "demo": ["demo", "--epochs", "1", "--run", "{run}"],
}
EVERY = LIGHT | HEAVY
MISTAKES = {
    "unknown name": (["methods", "show", "xnor"], 2),
    "unknown option": (["profile", "--no-such", "x"], 2),
    "no such file": (["inspect", "{run}/nowhere.tflite"], 2),
    "not a file": (["inspect", "{run}/recipe.toml"], 1),
}


@pytest.fixture
def run(small_run: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(shutil.copytree(small_run, tmp_path / NAME))


def line(arguments: list[str], run: RunFolder) -> list[str]:
    return [argument.replace("{run}", str(run)) for argument in arguments]


def in_shell(arguments: list[str], redirected: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command, with what a shell does to its streams."""
    ended = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", *COMMAND, *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=300,
    )
    return ended.returncode, ended.stdout.decode("utf-8", "surrogateescape"), ended.stderr.decode("utf-8")


def work_is_done(name: str, run: RunFolder, before: dict[str, str]) -> None:
    """Whether a command left what it is there for."""
    if name == "export-weights":
        assert np.load(run.weights)
    elif name == "profile":
        assert len(Profile.load(run.profile()).measurements) == 1
    elif name == "report":
        assert run.report.read_text(encoding="utf-8").rstrip().endswith("</html>")
    elif name in ("convert", "verify"):
        read_model(run.tflite)
        assert sha256(run.operators if name == "convert" else run.verification) != before[name]
    elif name in ("train", "demo"):
        assert len(History.load(run.history).epochs) == 1
        assert run.report.is_file() == (name == "demo")


@pytest.mark.parametrize("name", [*LIGHT, *(pytest.param(name, marks=pytest.mark.slow) for name in HEAVY)])
def test_closed_streams_end_no_job(run: RunFolder, name: str) -> None:
    before = {"convert": "", "verify": sha256(run.verification)}
    run.operators.unlink()
    code, shown, told = in_shell(line(EVERY[name], run), "<&- >&- 2>&-")
    assert (code, shown, told) == (0, "", "")
    work_is_done(name, run, before)
    for path in run.path.rglob("*"):  # nor did what native code prints get into a file
        if path.suffix in (".json", ".toml", ".csv"):
            assert "TensorFlow Lite" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("redirected", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">&- 2>&-"])
def test_no_file_becomes_a_standard_stream(tmp_path: Path, redirected: str) -> None:
    """Else what native code prints would be written into it: the lowest free descriptor is the next file's."""
    program = f"""
import os
from mobile_bnn.cli import streams
streams.prepare()
with open({str(tmp_path / "mine")!r}, "w") as file:
    for descriptor in (1, 2):
        os.write(descriptor, b"native words")
    file.write("mine")
    print("from Python")
child = os.fork()
if child == 0:
    os.execv("/bin/sh", ["sh", "-c", "echo from a child; echo from a child >&2"])
assert os.waitpid(child, 0)[1] == 0
"""
    command = ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("redirected", ["<&-", ">&-", "2>&-"])
@pytest.mark.parametrize("name", ["methods list", "profile", "report"])
def test_one_closed_stream_leaves_the_others(run: RunFolder, name: str, redirected: str) -> None:
    code, shown, told = in_shell(line(LIGHT[name], run), redirected)
    assert (code, told) == (0, "")
    assert bool(shown) == (redirected != ">&-")


@pytest.mark.parametrize("name", list(MISTAKES))
def test_mistakes_have_their_exit_code_without_streams(run: RunFolder, name: str) -> None:
    arguments, code = MISTAKES[name]
    assert in_shell(line(arguments, run), "<&- >&- 2>&-") == (code, "", "")


@pytest.mark.parametrize("name", list(LIGHT))
def test_a_full_standard_output_is_one_line_and_the_work_is_done(run: RunFolder, name: str) -> None:
    code, _, told = in_shell(line(LIGHT[name], run), ">/dev/full")
    assert (code, told) == (1, "error: standard output cannot be written: No space left on device\n")
    work_is_done(name, run, {})


@pytest.mark.slow
def test_a_full_standard_error_ends_no_job(run: RunFolder) -> None:
    code, shown, _ = in_shell(line(HEAVY["train"], run), "2>/dev/full")
    assert code == 0
    assert "test accuracy " in shown
    work_is_done("train", run, {})


def test_json_into_a_full_standard_output_fails_too(run: RunFolder) -> None:
    code, _, told = in_shell(["methods", "list", "--json"], ">/dev/full")
    assert (code, told) == (1, "error: standard output cannot be written: No space left on device\n")


@pytest.mark.parametrize("arguments", [["zoo", "list"], ["zoo", "list", "--json"], ["train", "--help"]])
def test_a_reader_that_has_seen_enough_is_not_an_error(arguments: list[str]) -> None:
    script = '{ "$@"; echo "exit $?" >&2; } | head -1 >/dev/null'
    ended = subprocess.run(["sh", "-c", script, "sh", *COMMAND, *arguments], capture_output=True, text=True)
    assert ended.stderr == "exit 0\n"


def test_streams_that_are_none_are_no_error() -> None:
    program = """
import sys
sys.stdin = sys.stdout = sys.stderr = None
sys.argv = ["mbnn", "methods", "list"]
from mobile_bnn.cli.main import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.parametrize("name", list(LIGHT))
def test_in_ascii_every_sign_has_a_look_alike(run: RunFolder, name: str) -> None:
    code, shown, told = in_shell(line(LIGHT[name], run), "", PYTHONIOENCODING="ascii")
    assert (code, told) == (0, "")
    assert shown.isascii()
    assert "\\u" not in shown.replace("\\xb1\\u2212", "").replace("+/--", "")
    if name == "report":
        assert "change 0.00 points" in shown
        assert "binary_lenet . bnn . digits" in shown


@pytest.mark.parametrize(("encoding", "title"), [("latin-1", b"lenet \xb7 bnn"), ("utf-8", b"lenet \xc2\xb7 bnn")])
def test_other_encodings_show_what_they_have(run: RunFolder, encoding: str, title: bytes) -> None:
    ended = subprocess.run(
        [*COMMAND, "report", str(run)], capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding}
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert title in ended.stdout
    assert f"report {run.report}".replace("−", "-" if encoding == "latin-1" else "−").encode(encoding) in ended.stdout


def test_a_locale_without_utf_8(run: RunFolder) -> None:
    environment = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for name in ("help", "report", "inspect"):
        code, _, told = in_shell(line(LIGHT[name], run), "", **environment)
        assert (code, told) == (0, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_json_is_json_in_every_encoding(run: RunFolder, encoding: str) -> None:
    code, shown, _ = in_shell(["report", str(run), "--json"], "", PYTHONIOENCODING=encoding)
    assert code == 0
    assert json.loads(shown)["run"] == str(run)


def test_errors_and_names_that_are_no_text(tmp_path: Path) -> None:
    """A file's name is bytes; those that are no UTF-8 are printed as they are."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff[red].tflite")
    code, shown, told = in_shell(["inspect", name], "2>&1")
    assert code == 2
    assert shown == f"error: there is no .tflite file {name}\n"
    assert told == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "iso8859-2", "shift_jis", "utf-8"])
def test_every_letter_can_be_written(encoding: str) -> None:
    letters = "".join(streams.LOOK_ALIKES) + "é中\udcff\U0001f600"
    written = io.BytesIO()
    text = io.TextIOWrapper(written, encoding=encoding, errors=streams.ERRORS)
    text.write(letters + "−0.28 … 2.31× ·")
    text.flush()
    found = written.getvalue()
    assert b"\xff" in found
    if encoding == "ascii":
        assert found.endswith(b"\\xe9\\u4e2d\xff\\U0001f600-0.28 ... 2.31x .")


# In this process, for what a path is taken for is not the streams' matter, and TensorFlow is loaded already.
PATHS = {
    **{name: EVERY[name] for name in ("export-weights", "profile", "report", "lint", "convert", "verify", "train")},
    "convert a file": ["convert", "{run}/model.keras", "--output", "{run}/other[red].tflite"],
    "convert a SavedModel": ["convert", "{run}/saved[1]", "--output", "{run}/other[red].tflite"],
    "lint a file": ["lint", "{run}/model_float.tflite"],
    "resume": ["train", "--resume", "--run", "{run}", "--epochs", "3"],
    "profile a file": ["profile", "{run}/model.tflite", *QUICK],
}
SILENT = ("lint", "lint a file", "profile", "profile a file", "verify")  # of the path


@pytest.mark.parametrize("name", list(PATHS))
@pytest.mark.filterwarnings("ignore")
def test_a_path_is_never_markup(run: RunFolder, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if name == "convert a SavedModel":
        from mobile_bnn import zoo

        zoo.build("binary_lenet", "bnn", (8, 8, 1), 10).save(run.path / "saved[1]", save_format="tf")
    # As in a terminal, where there are status lines and progress bars too.
    environment = {"TTY_COMPATIBLE": "1", "COLUMNS": "1000", "TERM": "xterm"}
    result = CliRunner().invoke(app, line(PATHS[name], RunFolder(NAME)), env=environment)
    assert result.exit_code == 0, result.output
    assert (NAME in result.output) == (name not in SILENT)
    if name in ("train", "resume"):
        assert f"next: mbnn convert '{NAME}'\n" in result.stdout
    assert NAME.replace("[red]", "").replace("[/b]", "") not in result.output
    assert "🚗" not in result.output


def test_nor_in_status_lines_and_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    console = PlainConsole(stderr=True)
    monkeypatch.setattr("mobile_bnn.cli.progress.err", console)
    with console.status(f"reading {NAME}") as status:
        time.sleep(0.3)
        status.update(f"converting {NAME}")
        time.sleep(0.3)
    with progress(f"verifying {NAME}", 3, "images") as advance:
        advance(1)
        time.sleep(0.3)
    for what in ("reading", "converting", "verifying"):
        assert f"{what} {NAME}" in sys.stderr.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspect", "a[/model].h5"], "there is no .tflite file a[/model].h5"),
        (["report", "x[red]y"], "x[red]y"),
        (["convert", "a[/model].h5"], "there is no model a[/model].h5"),
        (["train", "--recipe", "[bold].toml"], "there is no recipe [bold].toml"),
        (["methods", "show", "[/b]"], "unknown method '[/b]'"),
        (["lint", "a:car:[/]"], "a:car:[/]"),
        (["profile", "a\x1b[31m\nb.tflite"], r"a\x1b[31m\nb.tflite"),
    ],
    ids=["inspect", "report", "convert", "train", "methods", "lint", "control characters"],
)
def test_nor_is_it_in_errors(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["report", "verify"])
def test_commands_that_are_proposed_can_be_copied(run: RunFolder, name: str) -> None:
    (run.verification if name == "report" else run.tflite).unlink()
    result = CliRunner().invoke(app, [name, str(run)])
    proposed = "verify" if name == "report" else "convert"
    assert f"mbnn {proposed} '{run}'" in result.output.replace("\n", "")
