"""docs/runtimes.md: the generated table changes, the promises around it stay."""

import importlib.util

from tests.support.tools import ROOT

PAGE = (ROOT / "docs" / "runtimes.md").read_text(encoding="utf-8")


def page_module():
    # By its path: other tools have modules of the same name.
    spec = importlib.util.spec_from_file_location("runtimes_page", ROOT / "tools" / "runtimes" / "page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_another_table_changes_nothing_else():
    page = page_module()
    changed = page.with_table(PAGE, "| another | table |")
    assert "| another | table |" in changed
    assert "| ai-edge-litert | 2.3.0 |" in PAGE
    assert "| ai-edge-litert | 2.3.0 |" not in changed
    for heading in ("## Threads", "## Forks", "## Spawned processes", "## Several inputs and outputs"):
        assert heading in changed
    table = PAGE.split(page.BEGIN)[1].split(page.END)[0].strip()
    assert page.with_table(changed, table) == PAGE
