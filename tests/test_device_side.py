"""The architecture, as DESIGN.md draws it: the device side without TensorFlow, and imports that only go down."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "mobile_bnn": ROOT / "mobile_bnn",
    "mobile_bnn.zoo": ROOT / "zoo",
    "mobile_bnn.converters": ROOT / "converters",
}
FLOORS = (
    {
        "child_process",
        "errors",
        "files",
        "heap",
        "lce_extension",
        "legacy_keras",
        "literal_path",
        "named_options",
        "names",
        "native_output",
        "prediction_records",
        "profile_records",
        "progress_columns",
        "python_files",
        "records",
        "registry",
        "run_folder",
        "typing",
        "validation",
        "wording",
        "writer_lock",
    },
    {"runtime", "layers"},
    {"methods", "profiling", "data"},
    {"tasks", "report"},
    {"zoo"},
    {"converters", "training"},
    {"pipeline", "testing"},
    {"cli", "__main__"},
)
FLOOR = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
DEVICE_SIDE = {"runtime", "profiling", "report"}
TRAINING_SIDE = {"tensorflow", "larq", "keras", "tf_keras", "larq_compute_engine", "tensorflow_datasets"}

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "larq", "keras", "tf_keras"}:
            raise ImportError(f"the device side imported {name}")

sys.meta_path.insert(0, Refuse())
try:
    import tensorflow
except ImportError:
    pass
else:
    sys.exit("TensorFlow could be imported")
for part in ("runtime", "profiling", "report", "tasks"):
    package = importlib.import_module(f"mobile_bnn.{part}")
    print(package.__name__)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
        print(module.name)
"""


def test_the_device_side_imports_without_tensorflow() -> None:
    ended = subprocess.run([sys.executable, "-c", IMPORT_EVERYTHING], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    imported = set(ended.stdout.split())
    expected = {name for name, _ in modules() if name.split(".")[1:2] and name.split(".")[1] in {*DEVICE_SIDE, "tasks"}}
    assert imported == expected


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the three source folders, by the name it is imported as."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join((package, *(part for part in parts if part != "__init__"))), path


def imports(name: str, path: Path) -> set[str]:
    """The full names that a module imports, anywhere in it; relative ones resolved, `from a import b` as a.b."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def part_of(name: str) -> str | None:
    """The part of the package that a name lies in, such as "runtime", or None outside mobile_bnn or in its root."""
    root, _, rest = name.partition(".")
    return rest.partition(".")[0] or None if root == "mobile_bnn" else None


def complaints(name: str, imported: set[str]) -> list[str]:
    """What is wrong with a module's imports."""
    mine, wrong = part_of(name), []
    if mine is None:
        return wrong
    for other in sorted(imported):
        theirs = part_of(other)
        if mine in DEVICE_SIDE and other.partition(".")[0] in TRAINING_SIDE:
            wrong.append(f"{name} imports {other}: the device side must not")
        # What is no part is a plain name of the root package, such as __version__.
        if theirs in FLOOR and theirs != mine and FLOOR[theirs] >= FLOOR[mine] > 0:
            wrong.append(f"{name} (floor {FLOOR[mine]}) imports {other} (floor {FLOOR[theirs]})")
        if theirs in FLOOR and FLOOR[theirs] > FLOOR[mine] == 0:
            wrong.append(f"{name} (floor 0) imports {other} (floor {FLOOR[theirs]})")
        if theirs == "legacy_keras" and mine in DEVICE_SIDE:
            wrong.append(f"{name} imports {other}: the device side must not")
    return wrong


def test_every_part_has_a_floor() -> None:
    assert {part_of(name) for name, _ in modules()} - {None} <= set(FLOOR)


@pytest.mark.parametrize(("name", "path"), [pytest.param(*module, id=module[0]) for module in modules()])
def test_imports_only_go_down(name: str, path: Path) -> None:
    assert complaints(name, imports(name, path)) == []


@pytest.mark.parametrize(
    ("name", "source", "wrong"),
    [
        ("mobile_bnn.runtime.x", "from mobile_bnn.profiling import profile", "imports mobile_bnn.profiling.profile"),
        ("mobile_bnn.runtime.x", "from mobile_bnn import methods", "(floor 1) imports mobile_bnn.methods (floor 2)"),
        ("mobile_bnn.runtime.x", "from ..report import html", "imports mobile_bnn.report.html"),
        ("mobile_bnn.errors", "def f():\n    import mobile_bnn.runtime", "(floor 0) imports mobile_bnn.runtime"),
        ("mobile_bnn.report.x", "import tensorflow as tf", "the device side must not"),
        ("mobile_bnn.report.x", "from mobile_bnn.legacy_keras import tf", "the device side must not"),
        (
            "mobile_bnn.zoo.x",
            "from mobile_bnn.records import Record\nfrom . import y\nfrom mobile_bnn import __version__",
            "",
        ),
        ("mobile_bnn.records", "from mobile_bnn.files import sha256", ""),
    ],
)
def test_the_check_sees_what_it_should(tmp_path: Path, name: str, source: str, wrong: str) -> None:
    path = tmp_path / "x.py"
    path.write_text(source, encoding="utf-8")
    found = complaints(name, imports(name, path))
    assert len(found) == bool(wrong)
    assert wrong in "".join(found)
