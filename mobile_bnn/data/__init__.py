"""Data sets as seeded `tf.data` pipelines: `data.load("fashion_mnist", data_dir="…")`.

Importing this package, and reading `NAMES`, loads no TensorFlow; `load` does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mobile_bnn.data.folder_names import absolute
from mobile_bnn.data.info import NAMES, DatasetInfo
from mobile_bnn.data.readers import register

if TYPE_CHECKING:
    from mobile_bnn.data.augment import Augment
    from mobile_bnn.data.in_memory import InMemory
    from mobile_bnn.data.loading import load
    from mobile_bnn.data.pipeline import Dataset, Source

__all__ = ["NAMES", "Augment", "Dataset", "DatasetInfo", "InMemory", "Source", "absolute", "load", "register"]

_NEED_TENSORFLOW = {
    "Augment": "augment",
    "Dataset": "pipeline",
    "InMemory": "in_memory",
    "Source": "pipeline",
    "load": "loading",
}


def __getattr__(name: str) -> Any:
    if name in _NEED_TENSORFLOW:
        return getattr(import_module(f"{__name__}.{_NEED_TENSORFLOW[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
