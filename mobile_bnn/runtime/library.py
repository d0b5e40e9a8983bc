"""Finds the native library: LCE's binary operators for any TFLite runtime, as an external delegate."""

import ctypes
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


def default_isa() -> str:
    """The instruction set that the library runs where no option names one: the best that this CPU has.

    Returns:
        avx512, avx2, sse4 (x86), neon_dot, neon (64-bit ARM) or portable.

    Raises:
        MobileBnnError: the library is not installed, cannot be loaded, or is older than this package.
    """
    path = library_path()
    try:
        function = ctypes.CDLL(str(path)).mobile_bnn_default_isa
    except OSError as error:
        raise MobileBnnError("the native library cannot be loaded", why=str(error)) from error
    except AttributeError as error:
        raise MobileBnnError(
            "the native library is older than this package", why=str(error), cure="Install mobile-bnn again"
        ) from error
    function.restype = ctypes.c_char_p
    name: bytes = function()
    return name.decode("ascii")
