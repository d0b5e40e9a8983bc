"""Binary neural networks: train them in Keras, convert them to `.tflite`, know how fast and how correct they are.

Importing this package is instant and loads no TensorFlow. Its parts load on first use:

    from mobile_bnn import zoo, data, training, converters    # the training side (needs the `train` extra)
    from mobile_bnn import runtime, profiling, report         # the device side (the base install)
"""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_PARTS = ("converters", "data", "methods", "profiling", "report", "runtime", "training", "zoo")
__all__ = ["__version__", *_PARTS]


def __getattr__(name: str) -> ModuleType:
    if name in _PARTS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
