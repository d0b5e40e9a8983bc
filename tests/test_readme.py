"""What README.md promises: its tour runs, also a second time; its pages and commands are there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tools import ROOT, tool

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def links_of(page: Path) -> list[Path]:
    """The files that a page of Markdown links to, whether they are there or not."""
    targets = re.findall(r"\]\((?!\w+:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    return [(page.parent / target).resolve() for target in targets]


PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_is_dead(page: Path) -> None:
    assert [link for link in links_of(page) if not link.exists()] == []


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            todo += links_of(page)
    assert sorted(set((ROOT / "docs").glob("*.md")) - reached) == []


@pytest.mark.slow
def test_the_tour_runs_twice(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shorter = code.replace("epochs=20", "epochs=2")
    assert shorter != code
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for time in ("first", "second"):
        ended = subprocess.run(
            [sys.executable, "-c", shorter], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"the {time} time: {ended.stderr[-2000:]}"
        accuracy, verification, classes = ended.stdout.strip().splitlines()
        assert re.fullmatch(r"\{'loss': \d.*, 'accuracy': 0\.\d+\} \{\}", accuracy)
        assert "dataset='digits'" in verification
        assert re.fullmatch(r"\[\d( \d){4}\]", classes)
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "tour.tflite"}


def targets() -> set[str]:
    """The targets of the Makefile that are no files."""
    declared = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert declared
    return set(declared.group(1).replace("\\\n", " ").split())


def test_make_help_lists_every_target() -> None:
    rules = set(re.findall(r"^([a-z0-9-]+):(?!=)", MAKEFILE, re.MULTILINE))
    assert rules == targets()
    make = [tool("make"), "--no-print-directory"]  # which it prints where `make test` runs this
    ended = subprocess.run([*make, "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = dict(re.findall(r"^make (\S+) +(\S.*)$", ended.stdout, re.MULTILINE))
    assert set(lines) == targets()
    assert len(lines) == len(ended.stdout.splitlines())
    assert ended.stdout == subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_make_commands_of_the_documentation_exist() -> None:
    for page in PAGES:
        named = set(re.findall(r"(?:`|^    )make ([a-z][a-z0-9-]*)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets(), page


def test_the_mbnn_commands_of_the_readme_exist() -> None:
    from mobile_bnn.cli.main import app

    ours = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    ours |= {group.name for group in app.registered_groups}
    named = set(re.findall(r"(?:`|^    (?:bnn/bin/)?)mbnn ([a-z][a-z-]*)", README, re.MULTILINE))
    assert {"train", "lint", "convert", "verify", "inspect", "profile", "report", "doctor"} <= named
    assert named <= ours
