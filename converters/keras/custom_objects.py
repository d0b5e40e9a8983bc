"""Layers of one's own: runs a user's Python file, and offers Keras what it defines."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from mobile_bnn import methods
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.python_files import run_python_file

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
    path, registered = Path(path), set(tf.keras.utils.get_custom_objects())

    def check(module: ModuleType) -> None:
        if registered.issuperset(tf.keras.utils.get_custom_objects()):
            _check_defines_something(path, module)

    module = run_python_file(path, check)
    return {name: value for name, value in vars(module).items() if _is_for_keras(value, path)}


def _is_for_keras(value: object, path: Path) -> bool:
    """Whether something comes from a file or one beside it, and is of a kind that a Keras config may name."""
    home = getattr(sys.modules.get(str(getattr(value, "__module__", ""))), "__file__", None)
    if not isinstance(home, str) or path.resolve().parent not in Path(home).resolve().parents:
        return False
    # Keras makes classes from a config, and takes functions as they are: quantizers, activations, initializers.
    return hasattr(value, "from_config") and not _is_of_keras_3(value) if isinstance(value, type) else callable(value)


def _check_defines_something(path: Path, module: ModuleType) -> None:
    values = vars(module).values()
    if any(_is_for_keras(value, path) or _is_method(value, module) for value in values):
        return
    why, cure = "it has no class of Keras and no function", _EXAMPLE
    if names := sorted({v.__name__ for v in values if _is_of_keras_3(v) and v.__module__ == module.__name__}):
        why = f"{', '.join(names)} belongs to Keras 3, Larq's layers to Keras 2"
        cure = "Take Keras from TensorFlow there: tf.keras"
    raise MobileBnnError(f"{path} defines no layer", why=why, cure=cure)


def _is_method(value: object, module: ModuleType) -> bool:
    """Whether a module defines a method, which a run that was trained with it names."""
    return isinstance(value, type) and issubclass(value, methods.Method) and value.__module__ == module.__name__


def _is_of_keras_3(value: object) -> bool:
    return isinstance(value, type) and any(base.__module__.partition(".")[0] == "keras" for base in value.__mro__)
