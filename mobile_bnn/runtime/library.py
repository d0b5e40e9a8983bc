"""Finds the native library: LCE's binary operators for any TFLite runtime, as an external delegate."""

import sys
from pathlib import Path

from mobile_bnn.errors import MobileBnnError

FILE = "libmobile_bnn_delegate.so"


def library_path() -> Path:
    """The shared library that `load_delegate` of any TFLite runtime takes.

    Raises:
        MobileBnnError: it is not installed.
    """
    # An editable install keeps Python files and built files in two folders of one package.
    for folder in sys.modules[__package__].__path__:
        if (path := Path(folder) / "native" / FILE).is_file():
            return path
    raise MobileBnnError(
        "the native library of mobile_bnn is not installed", why=f"there is no {FILE}", cure="pip install mobile-bnn"
    )
