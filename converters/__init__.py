"""From a Keras model to a binary `.tflite` that computes the same, and the proof of it.

from mobile_bnn import converters

conversion = converters.convert(model, "model.tflite")
verification = converters.verify(model, "model.tflite", batches, dataset="mine")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobile_bnn.converters.conversion import Conversion, Int8, convert, convert_float
    from mobile_bnn.converters.keras.larq_summary import compare_with_larq
    from mobile_bnn.converters.linting import Finding, lint
    from mobile_bnn.converters.refusals import RefusalCode
    from mobile_bnn.converters.source import Source, load_model
    from mobile_bnn.converters.verification.verify import verify

_HOMES = {
    "Conversion": "conversion",
    "Finding": "linting",
    "Int8": "conversion",
    "RefusalCode": "refusals",
    "Source": "source",
    "compare_with_larq": "keras.larq_summary",
    "convert": "conversion",
    "convert_float": "conversion",
    "lint": "linting",
    "load_model": "source",
    "verify": "verification.verify",
}
__all__ = [
    "Conversion",
    "Finding",
    "Int8",
    "RefusalCode",
    "Source",
    "compare_with_larq",
    "convert",
    "convert_float",
    "lint",
    "load_model",
    "verify",
]


def __getattr__(name: str) -> Any:
    # TensorFlow is loaded when something is converted, not when the package is imported.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
