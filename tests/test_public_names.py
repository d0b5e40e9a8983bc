"""The public names: all of them exist, and a type checker sees what they are, also of those that load late."""

import ast
import importlib
from collections.abc import Iterable
from pathlib import Path

import pytest

PARTS = ("converters", "data", "methods", "pipeline", "profiling", "report", "runtime", "training", "zoo")
PACKAGES = ["mobile_bnn", *(f"mobile_bnn.{part}" for part in PARTS)]


def statements(package: str) -> list[ast.stmt]:
    """Of the package's __init__.py."""
    file = importlib.import_module(package).__file__
    assert file is not None
    return ast.parse(Path(file).read_text(encoding="utf-8")).body


def late(body: Iterable[ast.stmt]) -> list[ast.stmt]:
    """What only a type checker reads: names that __getattr__ gives to a program."""
    blocks = [node for node in body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return [node for block in blocks for node in block.body]


def bound(body: Iterable[ast.stmt]) -> set[str]:
    """The names that statements bind."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there(package: str) -> None:
    module = importlib.import_module(package)
    assert len(module.__all__) == len(set(module.__all__))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_type_checker_sees_every_public_name(package: str) -> None:
    body = statements(package)
    assert set(importlib.import_module(package).__all__) - bound(body) - bound(late(body)) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_that_loads_late_is_public(package: str) -> None:
    module = importlib.import_module(package)
    ours = [each for each in late(statements(package)) if ast.unparse(each).startswith("from mobile_bnn")]
    assert bound(ours) <= set(module.__all__)
    given = [name for table in ("_HOMES", "_NEED_TENSORFLOW", "_PARTS") for name in getattr(module, table, ())]
    assert set(given) <= set(module.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    for package in PACKAGES:
        with pytest.raises(AttributeError, match="has no attribute 'nothing_of_the_kind'"):
            importlib.import_module(package).nothing_of_the_kind  # noqa: B018


def test_the_search_finds_a_name_that_a_type_checker_takes_for_anything() -> None:
    code = "__all__ = ['a', 'b']\nif TYPE_CHECKING:\n    from m import b\ndef __getattr__(name): ...\n"
    body = ast.parse(code).body
    assert {"a", "b"} - bound(body) - bound(late(body)) == {"a"}
