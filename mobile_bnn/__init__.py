"""Binary neural networks: train them in Keras, convert them to `.tflite`, know how fast and how correct they are.

Importing this package is instant and loads no TensorFlow. Its parts load on first use:

    from mobile_bnn import zoo, data, training, converters    # the training side (needs the `train` extra)
    from mobile_bnn import runtime, profiling, report         # the device side (the base install)
    from mobile_bnn import pipeline                           # convert, verify, profile and report in one place

Larq's layers are layers of Keras 2, and TensorFlow settles which Keras tf.keras is when it is imported. So import this
package before TensorFlow: it sets TF_USE_LEGACY_KERAS=1 unless you have set it.
"""

import os
import sys
from importlib import import_module

TYPE_CHECKING = False  # as in typing, whose import would take longer than all else here
if TYPE_CHECKING:
    from typing import Any

    from mobile_bnn import converters, data, methods, pipeline, profiling, report, runtime, training, zoo

__version__ = "0.1.0"

_PARTS = ("converters", "data", "methods", "pipeline", "profiling", "report", "runtime", "training", "zoo")
__all__ = [
    "__version__",
    "converters",
    "data",
    "methods",
    "pipeline",
    "profiling",
    "report",
    "runtime",
    "training",
    "zoo",
]

# Set later, it would give TensorFlow's modules two different Kerases. An empty value means nothing to TensorFlow.
if "tensorflow" not in sys.modules and not os.environ.get("TF_USE_LEGACY_KERAS"):
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


def __getattr__(name: str) -> "Any":
    if name in _PARTS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
