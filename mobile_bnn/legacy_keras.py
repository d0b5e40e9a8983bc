"""The one door to TensorFlow: loads it quietly, with the Keras 2 that Larq needs, or says why that cannot be.

Every module of the training side takes TensorFlow and Larq from here:

    from mobile_bnn.legacy_keras import larq, tf

When TensorFlow is loaded, TF_USE_LEGACY_KERAS settles which Keras tf.keras is: `import mobile_bnn` sets it to 1 where
the user has not set it and TensorFlow is not loaded yet.

TensorFlow's information and warnings are hidden, its errors are not; TF_CPP_MIN_LOG_LEVEL=0 shows everything.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any

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


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
_quiet = os.environ["TF_CPP_MIN_LOG_LEVEL"] >= "2"  # which does not keep every message back by itself

try:
    with without_noise() if _quiet else nullcontext():
        import tensorflow as tf

        if find_spec("tf_keras") is None:  # of which TensorFlow would not say the name
            raise ModuleNotFoundError(name="tf_keras")
        _check_keras(tf)
        import larq

        tf.config.list_physical_devices()  # says here, not later, that there is no GPU
except ModuleNotFoundError as error:
    raise ImportError(f"{error.name} is not installed; {_INSTALL}") from error

if _quiet:
    tf.get_logger().setLevel("ERROR")

_scope_of_larq = larq.context.quantized_scope


@contextmanager
def _quantized_scope(quantize: bool) -> Iterator[bool]:
    """Larq's own, which stays as it is if a layer raises: whatever was trained later would train quantized weights."""
    before = larq.context.should_quantize()
    try:
        with _scope_of_larq(quantize):
            yield quantize
    finally:
        larq.context._quantized_scope.should_quantize = before


_scope_of_larqs_metrics = larq.context.metrics_scope


@contextmanager
def _metrics_scope(metrics: Iterable[str] = ()) -> Iterator[Any]:
    """Larq's own, which ends if a model cannot be built: whatever was built later would measure these metrics too."""
    before = set(larq.context.get_training_metrics())
    try:
        with _scope_of_larqs_metrics(metrics) as current:
            yield current
    finally:
        current = larq.context.get_training_metrics()
        current.clear()
        current.update(before)


larq.context.quantized_scope = _quantized_scope
larq.context.metrics_scope = _metrics_scope

__all__ = ["larq", "tf"]
