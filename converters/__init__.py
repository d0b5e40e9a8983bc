"""From a Keras model to a binary `.tflite` that computes the same, and the proof of it.

from mobile_bnn import converters

conversion = converters.convert(model, Path("model.tflite"))
verification = converters.verify(model, Path("model.tflite").read_bytes(), batches, dataset="mine")
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "compare_with_larq": "summary",
    "convert": "conversion",
    "convert_float": "conversion",
    "Int8": "conversion",
    "lint": "linting",
    "Source": "source",
    "verify": "verification",
}
__all__ = ["Source", "compare_with_larq", "convert", "convert_float", "lint", "verify"]


def __getattr__(name: str) -> Any:
    # TensorFlow is loaded when something is converted, not when the package is imported.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
