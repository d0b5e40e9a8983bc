"""The one door to TensorFlow: loads it quietly, with the Keras 2 that Larq needs, or says why that cannot be.

Every module of the training side takes TensorFlow and Larq from here:

    from mobile_bnn.legacy_keras import larq, tf

TensorFlow's information and warnings are hidden, its errors are not; TF_CPP_MIN_LOG_LEVEL=0 shows everything.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from mobile_bnn.native_output import without_noise

_CURE = "set TF_USE_LEGACY_KERAS=1 in the environment, or put `import mobile_bnn.legacy_keras` before any other import"


def _loaded_keras_3() -> str:
    """The version of a Keras 3 that is already loaded in this process, or an empty string."""
    version = str(getattr(sys.modules.get("keras"), "__version__", ""))
    if not version and "tensorflow" in sys.modules:
        # TensorFlow decides between Keras 2 and 3 when it is imported, not when tf.keras is first used.
        version = str(getattr(sys.modules["tensorflow"].keras, "__version__", ""))
    return version if version.startswith("3.") else ""


if _version := _loaded_keras_3():
    raise ImportError(
        f"Keras {_version} is already loaded, but Larq's layers are Keras 2 layers and fail inside it. Cure: {_CURE}."
    )

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
_quiet = os.environ["TF_CPP_MIN_LOG_LEVEL"] >= "2"  # which does not keep every message back by itself

try:
    with without_noise() if _quiet else nullcontext():
        import larq
        import tensorflow as tf

        tf.config.list_physical_devices()  # says here, not later, that there is no GPU
except ModuleNotFoundError as error:
    raise ImportError(
        f"{error.name} is not installed; training and conversion need it. Cure: pip install 'mobile-bnn[train]'."
    ) from error

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


larq.context.quantized_scope = _quantized_scope

__all__ = ["larq", "tf"]
