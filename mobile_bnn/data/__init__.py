"""Data sets as seeded `tf.data` pipelines: `data.load("fashion_mnist", data_dir="…")`.

Importing this package, and reading `NAMES`, loads no TensorFlow; `load` does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mobile_bnn.data.folder_names import absolute
from mobile_bnn.data.info import NAMES, DatasetInfo

if TYPE_CHECKING:
    from mobile_bnn.data.loading import load
    from mobile_bnn.data.pipeline import Dataset

__all__ = ["NAMES", "Dataset", "DatasetInfo", "absolute", "load"]

_NEED_TENSORFLOW = {"load": "loading", "Dataset": "pipeline"}


def __getattr__(name: str) -> Any:
    if name in _NEED_TENSORFLOW:
        return getattr(import_module(f"{__name__}.{_NEED_TENSORFLOW[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
