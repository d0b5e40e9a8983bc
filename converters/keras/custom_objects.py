"""Layers of one's own: runs a user's Python file, and offers Keras what it defines.

The file is run as Python runs any module, with all that it may do, and only because its owner named it.
"""

import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from mobile_bnn import methods
from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.legacy_keras import tf

_EXAMPLE = "It defines a subclass of tf.keras.layers.Layer, or a function such as a quantizer"


def import_methods() -> None:
    """Registers the layers and quantizers of all methods with Keras, those of other packages too.

    A package that cannot be loaded is passed over: the model may have nothing of it, and Keras names what it lacks.
    """
    import_module("mobile_bnn.layers")
    for name in methods.names():
        with suppress(MobileBnnError):
            methods.get(name)


def import_files(paths: Iterable[Path | str]) -> dict[str, Any]:
    """What several files define, by name; of files that define the same name the last one counts."""
    return {name: found for path in paths for name, found in import_file(path).items()}


def import_file(path: Path | str) -> dict[str, Any]:
    """Runs a Python file, unless this process has imported it already.

    Its folder is searched for modules that it imports. What it prints goes to standard error.

    Args:
        path: the file.

    Returns:
        Its classes and functions that Keras can make a layer or a part of one from, by name: `custom_objects` of
        Keras. What it registers with `register_keras_serializable` is known to Keras by that.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: it cannot be run, or defines nothing for Keras.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no Python file {path}")
    module = _loaded(path) or _run(path)
    return {name: value for name, value in vars(module).items() if _is_for_keras(value, path)}


def _loaded(path: Path) -> ModuleType | None:
    """The module that this process has made of a file before: run twice, its classes would be others."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and Path(file).name == path.name and Path(file).resolve() == path.resolve():
            return module
    return None


def _run(path: Path) -> ModuleType:
    name = _module_name(path)
    loader = SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    registered = set(tf.keras.utils.get_custom_objects())
    try:
        with _beside(path), redirect_stdout(sys.stderr):
            loader.exec_module(module)
        if registered.issuperset(tf.keras.utils.get_custom_objects()):
            _check_defines_something(path, module)
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


def _is_for_keras(value: object, path: Path) -> bool:
    """Whether something comes from a file or one beside it, and is of a kind that a Keras config may name."""
    home = getattr(sys.modules.get(str(getattr(value, "__module__", ""))), "__file__", None)
    if not isinstance(home, str) or path.resolve().parent not in Path(home).resolve().parents:
        return False
    # Keras makes classes from a config, and takes functions as they are: quantizers, activations, initializers.
    return hasattr(value, "from_config") and not _is_of_keras_3(value) if isinstance(value, type) else callable(value)


def _check_defines_something(path: Path, module: ModuleType) -> None:
    values = vars(module).values()
    if any(_is_for_keras(value, path) for value in values):
        return
    why, cure = "it has no class of Keras and no function", _EXAMPLE
    if names := sorted({v.__name__ for v in values if _is_of_keras_3(v) and v.__module__ == module.__name__}):
        why = f"{', '.join(names)} belongs to Keras 3, Larq's layers to Keras 2"
        cure = "Take Keras from TensorFlow there: tf.keras"
    raise MobileBnnError(f"{path} defines no layer", why=why, cure=cure)


def _is_of_keras_3(value: object) -> bool:
    return isinstance(value, type) and any(base.__module__.partition(".")[0] == "keras" for base in value.__mro__)


def _cause(path: Path, error: BaseException) -> str:
    """What went wrong, and in which line of the file."""
    if isinstance(error, SyntaxError):
        elsewhere = error.filename if error.filename and Path(error.filename).resolve() != path.resolve() else ""
        where = " of ".join(part for part in (f"line {error.lineno}" if error.lineno else "", elsewhere) if part)
        return f"{where}: {error.msg}" if where else str(error.msg)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    what = f"{type(error).__name__}: {first_line(error)}" if str(error).strip() else type(error).__name__
    return f"line {lines[-1]}: {what}" if lines else what
