"""TensorFlow, Keras 2 and Larq, loaded at their first use; every module of the training side takes them from here.

    from mobile_bnn import legacy_keras as keras2

    keras2.layers.Add(name="add")        # tf.keras.layers
    keras2.larq.layers.QuantConv2D(...)
    keras2.tf.data.Dataset

Importing this module loads nothing (PEP 562); the first attribute does, quietly, or raises an ImportError that says why
it cannot. `from mobile_bnn.legacy_keras import tf` loads it at once, which a class derived from one of Keras's needs.

When TensorFlow is loaded, TF_USE_LEGACY_KERAS settles which Keras tf.keras is: `import mobile_bnn` sets it to 1 where
the user has not set it and TensorFlow is not loaded yet.

TensorFlow's information and warnings are hidden, its errors are not; TF_CPP_MIN_LOG_LEVEL=0 shows everything.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mobile_bnn.native_output import without_noise

_BEFORE = "put `import mobile_bnn` before any other import, or set TF_USE_LEGACY_KERAS=1 in the environment"
_UNSET = "leave TF_USE_LEGACY_KERAS unset, or set it to 1"
_YES = ("1", "true", "True")  # as TensorFlow reads it
_INSTALL = "training and conversion need it. Cure: pip install 'mobile-bnn[train]'."


def _check_keras(tensorflow: Any) -> None:
    """Refuses Keras 3 as tf.keras. Beside it there may be one: TensorFlow's own converter loads it."""
    package = sys.modules[tensorflow.keras.Model.__module__.partition(".")[0]]
    if not str(package.__version__).startswith("3."):
        return
    chosen = os.environ.get("TF_USE_LEGACY_KERAS", "")
    what, cure = f"Keras {package.__version__} is already loaded as tf.keras", _BEFORE
    if chosen and chosen not in _YES:
        what, cure = f"tf.keras is Keras {package.__version__}, as TF_USE_LEGACY_KERAS={chosen} asks for", _UNSET
    raise ImportError(f"{what}, but Larq's layers are Keras 2 layers and fail inside it. Cure: {cure}.")


if TYPE_CHECKING:
    import larq
    import tensorflow as tf

    layers = tf.keras.layers

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@cache
def _load() -> dict[str, ModuleType]:
    """Loads TensorFlow and Larq.

    Raises:
        ImportError: one of them is not installed, or tf.keras is Keras 3; with the cure.
    """
    quiet = os.environ["TF_CPP_MIN_LOG_LEVEL"] >= "2"  # which does not keep every message back by itself
    try:
        with without_noise() if quiet else nullcontext():
            import tensorflow

            if find_spec("tf_keras") is None:  # of which TensorFlow would not say the name
                raise ModuleNotFoundError(name="tf_keras")
            _check_keras(tensorflow)
            import larq

            tensorflow.config.list_physical_devices()  # says here, not later, that there is no GPU
    except ModuleNotFoundError as error:
        raise ImportError(f"{error.name} is not installed; {_INSTALL}") from error
    if quiet:
        tensorflow.get_logger().setLevel("ERROR")
    _restore_scopes_after_errors(larq)
    return {"tf": tensorflow, "larq": larq, "layers": tensorflow.keras.layers}


def __getattr__(name: str) -> ModuleType:
    if name not in ("tf", "larq", "layers"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    modules = _load()
    globals().update(modules)
    return modules[name]


def _restore_scopes_after_errors(larq: Any) -> None:
    """Lets Larq's scopes end where a layer raises: whatever was built or trained later would be in them still."""
    scope_of_larq, scope_of_larqs_metrics = larq.context.quantized_scope, larq.context.metrics_scope

    @contextmanager
    def quantized_scope(quantize: bool) -> Iterator[bool]:
        before = larq.context.should_quantize()
        try:
            with scope_of_larq(quantize):
                yield quantize
        finally:
            larq.context._quantized_scope.should_quantize = before

    @contextmanager
    def metrics_scope(metrics: Iterable[str] = ()) -> Iterator[Any]:
        before = set(larq.context.get_training_metrics())
        try:
            with scope_of_larqs_metrics(metrics) as current:
                yield current
        finally:
            current = larq.context.get_training_metrics()
            current.clear()
            current.update(before)

    larq.context.quantized_scope = quantized_scope
    larq.context.metrics_scope = metrics_scope


@contextmanager
def traces_freed() -> Iterator[None]:
    """Frees, at its end, the graphs that custom gradients traced in it hold, and with them the weights of their models.

    TensorFlow registers a name for each call of a custom gradient, such as Larq's signs, in a graph, and never lets go
    of it: a model that nobody has any more keeps its memory. To differentiate such a graph later is an error then.
    """
    gradients = _registered_gradients()
    before = set(gradients)
    try:
        yield
    finally:
        for name in set(gradients) - before:
            if name.startswith("CustomGradient-"):
                del gradients[name]


def _registered_gradients() -> dict[str, Any]:
    _load()  # quietly
    from tensorflow.python.framework import ops

    registered: dict[str, Any] = ops.gradient_registry._registry
    return registered


__all__ = ["larq", "layers", "tf", "traces_freed"]
