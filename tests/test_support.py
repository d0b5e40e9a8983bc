"""How the tests run: in several processes, in any order, under nohup. Each is seen in a small run of its own."""

import os
import re
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.lce_files import lce_file
from tests.support.processes import popen_with_default_signals
from tests.support.tools import ROOT
from tests.support.workers import MEMORY_OF_A_WORKER, workers

CONFTEST = (ROOT / "tests" / "conftest.py").read_text()
PLUGINS = CONFTEST[CONFTEST.index("pytest_plugins") :].partition("\n\n")[0]


def run(folder: Path, *options: str, **files: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest over test files, with the plugins of this suite."""
    (folder / "conftest.py").write_text(PLUGINS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = alone\n")
    for name, source in files.items():
        (folder / f"test_{name}.py").write_text(f"import time\nimport pytest\n{source}")
    command = [sys.executable, "-m", "pytest", "-p", "xdist.plugin", "-p", "no:cacheprovider", *options]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the others' plugins take seconds
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


ADDRESSES = """
class Thing: pass
@pytest.mark.parametrize("thing", [Thing(), Thing()], ids=str)
def test_it(thing): pass
"""


@pytest.mark.parametrize("options", [(), ("-n", "2", "--dist", "worksteal")], ids=["one process", "two workers"])
def test_a_name_with_an_objects_address_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    ended = run(tmp_path, *options, things=ADDRESSES)
    assert ended.returncode != 0
    said = "2 tests have an object's address in their name, which differs in every process: test_things.py::test_it[<"
    assert said in ended.stdout + ended.stderr
    assert "passed" not in ended.stdout


# Each test notes in a file of its own when it began and ended.
TIMED = """
{mark}
@pytest.mark.parametrize("number", range(4))
def test_it(number):
    begun = time.monotonic()
    time.sleep(0.1)
    open(f"{name}{{number}}.times", "w").write(f"{{begun}} {{time.monotonic()}}")
"""


def test_a_test_that_is_alone_overlaps_no_other(tmp_path: Path) -> None:
    with_others = TIMED.format(mark="", name="other")
    alone = TIMED.format(mark="@pytest.mark.alone", name="alone")
    ended = run(tmp_path, "-n", "3", "--dist", "load", a=with_others, b=alone, c=with_others.replace("other", "more"))
    assert ended.returncode == 0, ended.stdout
    spans = {path.stem: [float(part) for part in path.read_text().split()] for path in tmp_path.glob("*.times")}
    assert len(spans) == 12
    overlaps = {
        (one, two) for one, (_, end) in spans.items() for two, (begin, _) in spans.items() if one < two and begin < end
    } & {(one, two) for one, (begin, _) in spans.items() for two, (_, end) in spans.items() if begin < end}
    assert overlaps, "the others ran at the same time"
    assert [pair for pair in overlaps if "alone" in "".join(pair)] == []


ONCE = """
import os
def make(folder):
    with open(os.environ["MADE"], "a") as file:
        file.write("made ")
    time.sleep(0.3)
    (folder / "content").write_text("whole")

@pytest.mark.parametrize("number", range(4))
def test_it(number, once, worker_id):
    open(f"{worker_id}.worker", "w").close()
    assert (once("thing", make) / "content").read_text() == "whole"
    time.sleep(0.2)
"""


def test_what_workers_share_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADE", str(tmp_path / "made"))
    ended = run(tmp_path, "-n", "2", "--dist", "load", thing=ONCE)
    assert ended.returncode == 0, ended.stdout
    assert len(list(tmp_path.glob("gw*.worker"))) == 2, "both workers asked for it"
    assert (tmp_path / "made").read_text() == "made "


def test_the_shared_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("MADE", str(tmp_path / "made"))
    assert run(tmp_path, "-n", "2", thing=ONCE).returncode == 0
    assert list((tmp_path / "temporary").glob("mobile_bnn_tests_*")) == []


SEVERAL = """
@pytest.mark.parametrize("number", range(6))
def test_it(number): pass
"""


def test_shuffled_tests_keep_to_their_files_and_a_seed_repeats_their_order(tmp_path: Path) -> None:
    def order(*options: str) -> list[str]:
        ended = run(tmp_path, "-v", *options, a=SEVERAL, b=SEVERAL, c=SEVERAL)
        assert ended.returncode == 0, ended.stdout
        return re.findall(r"^(test_\w\.py::\S+) PASSED", ended.stdout, re.MULTILINE)

    plain, one, again, other = order(), order("--shuffle", "1"), order("--shuffle", "1"), order("--shuffle", "2")
    assert plain == sorted(plain)
    assert one == again
    assert len({tuple(plain), tuple(one), tuple(other)}) == 3
    assert sorted(one) == sorted(other) == plain
    files = [name.partition("::")[0] for name in one]
    assert sum(before != after for before, after in pairwise(files)) == 2


@pytest.mark.parametrize(
    ("cores", "gigabytes", "expected"), [(2, 24, 2), (64, 24, 8), (2, 4, 1), (1, 24, 1), (4, 1, 1), (16, 128, 16)]
)
def test_as_many_workers_as_cores_and_memory_bear(cores: int, gigabytes: int, expected: int) -> None:
    assert workers(cores, gigabytes * 2**30) == expected
    assert MEMORY_OF_A_WORKER == 3 * 2**30


LACKING = """
from tests.support import packages
packages.evidence = lambda package: ["/nowhere/at/all"]
def test_it():
    packages.need("libsimde-dev", "nothing is emulated")
"""


def test_what_is_skipped_for_want_of_a_package_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MBNN_TEST_DEPS", raising=False)  # which continuous integration sets for the whole run
    ended = run(tmp_path, "-rs", lacking=LACKING)
    assert ended.returncode == 0, ended.stdout
    assert "SKIPPED [1] test_lacking.py:7: nothing is emulated" in ended.stdout
    assert "nothing is emulated: libsimde-dev is not installed (`make test-deps` installs it)" in ended.stdout
    assert "1 test was skipped, for which Debian and Ubuntu have packages: make test-deps (as root)" in ended.stdout


def test_it_fails_where_every_package_was_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MBNN_TEST_DEPS", "installed")
    ended = run(tmp_path, lacking=LACKING)
    assert ended.returncode == 1
    assert "nothing is emulated: libsimde-dev is not installed" in ended.stdout


WIDTH = """
import os, subprocess, sys
def test_it():
    code = "import os; print(os.environ.get('COLUMNS'), os.environ.get('LINES'))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "None None\\n"
"""


def test_children_are_not_told_the_terminals_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    ended = run(tmp_path, width=WIDTH)
    assert ended.returncode == 0, ended.stdout


WAITING = """
import time
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_child_hears_signals_that_its_parent_ignores(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        process = popen_with_default_signals([sys.executable, "-c", WAITING], stdout=subprocess.PIPE)
        assert signal.getsignal(number) is signal.SIG_IGN
        with process:
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(number)
            assert process.wait(timeout=30) == -number
    finally:
        signal.signal(number, before)


def test_a_quick_file_of_lces_converter_is_its_own(tiny_model: Any, binary_tflite: Path) -> None:
    assert lce_file(tiny_model) == binary_tflite.read_bytes()
