"""The one door to TensorFlow: loads it quietly, with the Keras 2 that Larq needs, or says why that cannot be.

Every module of the training side takes TensorFlow and Larq from here:

    from mobile_bnn.legacy_keras import larq, tf
"""

import os
import sys

CURE = "set TF_USE_LEGACY_KERAS=1 in the environment, or put `import mobile_bnn.legacy_keras` before any other import"


def _loaded_keras_3() -> str:
    """The version of a Keras 3 that is already loaded in this process, or an empty string."""
    keras = sys.modules.get("keras")
    version = str(getattr(keras, "__version__", ""))
    if not version and "tensorflow" in sys.modules:
        # TensorFlow decides for Keras 2 or 3 when it is imported, not when tf.keras is first used.
        version = str(getattr(sys.modules["tensorflow"].keras, "__version__", ""))
    return version if version.startswith("3.") else ""


if version := _loaded_keras_3():
    raise ImportError(
        f"Keras {version} is already loaded, but Larq's layers are Keras 2 layers and would fail inside it. Cure: {CURE}."
    )

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # hides information and warnings, keeps errors

try:
    import larq
    import tensorflow as tf
except ModuleNotFoundError as error:
    raise ImportError(
        f"{error.name} is not installed: training and conversion need the train extra. "
        "Cure: pip install 'mobile-bnn[train]'."
    ) from error

__all__ = ["larq", "tf"]
