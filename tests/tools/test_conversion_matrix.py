"""make conversion-matrix: three families for real, the page that is kept, and converters that crash or hang."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "conversion_matrix"
sys.path.append(str(TOOL))

import worker  # noqa: E402

from mobile_bnn.converters.keras.lce_converter import to_binary  # noqa: E402
from mobile_bnn.errors import UsageError  # noqa: E402

worker.with_families()
from matrix import outcome  # noqa: E402
from matrix.every import FAMILIES, PARTS  # noqa: E402

BINARY, WRONG, REFUSED = "3x3, same-one", "same-zero, 3x3 on a 1x1 map", "QuantConv3D"


@pytest.fixture(scope="module")
def matrix() -> Any:
    """The tool as a module; tools/runtimes has a table.py, too."""
    spec = spec_from_file_location("conversion_matrix_table", TOOL / "table.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows_of(page: str) -> dict[str, list[str]]:
    """The cells after each name."""
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in lines if cells[0] != "graph"}


@pytest.mark.slow
def test_three_families(matrix: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setattr(matrix, "PARTS", {"Some": [FAMILIES[name] for name in (BINARY, WRONG, REFUSED)]})
    monkeypatch.setattr(matrix, "PAGE", page)
    matrix.main(only="")
    text = page.read_text(encoding="utf-8")
    rows = rows_of(text)
    assert "LCE's alone make of 3 kinds of small Keras" in text
    assert list(rows) == [BINARY, WRONG, REFUSED]
    for name, cells in rows.items():
        model = FAMILIES[name].model()
        ours, theirs = outcome.convert(model).flatbuffer, to_binary(model)
        assert (cells[2], cells[5]) == (f"{len(ours):,}", f"{len(theirs):,}")
    assert rows[BINARY][:2] == rows[BINARY][3:5] == ["binary", "LceQuantize, LceBconv2d"]
    assert rows[WRONG][0] == "binary"
    assert rows[WRONG][3].startswith("**wrong**: ")
    assert rows[REFUSED][0].startswith("float: ")
    assert FAMILIES[REFUSED].refused in rows[REFUSED][0]
    assert rows[REFUSED][3] == "float"


def test_the_page_has_every_family() -> None:
    text = (ROOT / "docs" / "conversion-matrix.md").read_text(encoding="utf-8")
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(PARTS)
    assert list(rows_of(text)) == [name.replace("|", "\\|") for name in FAMILIES]
    assert f"make of {len(FAMILIES)} kinds" in text


def test_no_family_of_that_name() -> None:
    command = [sys.executable, str(TOOL / "table.py"), "--only", "QuantConv7D"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == UsageError.exit_code
    assert done.stderr.splitlines() == ["error: no family has 'QuantConv7D' in its name"]


@pytest.fixture
def python() -> Iterator[worker.Worker]:
    """A process that answers with what Python makes of a text."""
    with worker.Worker(eval, seconds=5) as process:
        yield process


@pytest.mark.alone  # an answer that takes longer than five seconds is another one
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("__import__('os').abort()", "crash (SIGABRT)"),
        ("__import__('os')._exit(3)", "crash (exit code 3)"),
        ("__import__('time').sleep(60)", "no answer in 5 s"),
    ],
)
def test_the_next_question_is_asked_of_a_new_process(python: worker.Worker, question: str, answer: str) -> None:
    assert python.ask("__import__('os').getpid()") == python.ask("__import__('os').getpid()")
    assert python.ask(question) == answer
    assert python.ask("6 * 7") == 42
