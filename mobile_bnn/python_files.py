"""Runs a user's Python file as a module: layers, methods and networks of one's own.

The file is run as Python runs any module, with all that it may do, and only because its owner named it.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from mobile_bnn.errors import MobileBnnError, UsageError, first_line


def _accept(module: ModuleType) -> None:
    """Any module will do."""


def run_python_file(path: Path | str, check: Callable[[ModuleType], None] = _accept) -> ModuleType:
    """Runs a Python file, unless this process has imported it already.

    Its folder is searched for modules that it imports. What it prints goes to standard error.

    Args:
        path: the file.
        check: is called with a module that has just been run; one that it refuses is not taken for imported.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: it cannot be run; or what `check` raises.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no Python file {path}")
    return _loaded(path) or _run(path, check)


def _loaded(path: Path) -> ModuleType | None:
    """The module that this process has made of a file before: run twice, its classes would be others."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and Path(file).name == path.name and Path(file).resolve() == path.resolve():
            return module
    return None


def _run(path: Path, check: Callable[[ModuleType], None]) -> ModuleType:
    name = _module_name(path)
    loader = SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _beside(path), redirect_stdout(sys.stderr):
            loader.exec_module(module)
        check(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, MobileBnnError | KeyboardInterrupt):
            raise
        raise MobileBnnError(f"{path} cannot be imported", why=_cause(path, error)) from error
    return module


def _module_name(path: Path) -> str:
    """The file's own, by which a model that was saved with it asks for its classes; another if that one is taken."""
    name = path.stem
    if name.isidentifier() and name not in sys.modules:
        found = importlib.util.find_spec(name)
        if found is None or (found.origin and Path(found.origin).resolve() == path.resolve()):
            return name
    return f"mbnn_imported_{name.replace('.', '_')}"


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Lets modules beside a file be found: first while it is imported, last from then on."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)


def _cause(path: Path, error: BaseException) -> str:
    """What went wrong, and in which line of the file."""
    if isinstance(error, SyntaxError):
        elsewhere = error.filename if error.filename and Path(error.filename).resolve() != path.resolve() else ""
        where = " of ".join(part for part in (f"line {error.lineno}" if error.lineno else "", elsewhere) if part)
        return f"{where}: {error.msg}" if where else str(error.msg)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    what = f"{type(error).__name__}: {first_line(error)}" if str(error).strip() else type(error).__name__
    return f"line {lines[-1]}: {what}" if lines else what
