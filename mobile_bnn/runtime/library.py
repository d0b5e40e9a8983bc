"""Finds the native library: LCE's binary operators for any TFLite runtime, as an external delegate."""

import ctypes
import sys
from pathlib import Path
from typing import Any

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.typing import LiteRTModule

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


def load_delegate(options: dict[str, str], runtime: LiteRTModule = None) -> object:
    """The library as a delegate of a TFLite runtime.

    Args:
        options: num_threads, isa and profile (a file for the times of its operators), or trace alone (a file for the
            times of every node; applied last).
        runtime: `ai_edge_litert.interpreter` by default, or `tf.lite`.

    Raises:
        UsageError: the library refuses an option.
        MobileBnnError: it is not installed.
    """
    runtime = runtime or litert()
    load = getattr(runtime, "load_delegate", None) or runtime.experimental.load_delegate
    try:
        return load(str(library_path()), options)
    except ValueError as error:
        # The runtime puts a line of its own before the library's message.
        why = [line for line in str(error).splitlines() if "mobile_bnn:" in line]
        raise UsageError("the native library refuses its options", why=why[-1] if why else first_line(error)) from error


def litert() -> LiteRTModule:
    """The runtime of the package ai-edge-litert."""
    from ai_edge_litert import interpreter

    return interpreter


def default_isa() -> str:
    """The instruction set that the library runs where no option names one: the best that this CPU has.

    Returns:
        avx512, avx2, sse4 (x86), neon_dot, neon (64-bit ARM) or portable.

    Raises:
        MobileBnnError: the library is not installed, cannot be loaded, or is older than this package.
    """
    function = _function("mobile_bnn_default_isa")
    function.restype = ctypes.c_char_p
    name: bytes = function()
    return name.decode("ascii")


def kernel_name(isa: str) -> str:
    """An instruction set with the tile of its binary convolution, output pixels x output channels: avx2-6x64.

    Raises:
        UsageError: the library has no such instruction set.
        MobileBnnError: the library is not installed, cannot be loaded, or is older than this package.
    """
    pixels, channels = ctypes.c_int(), ctypes.c_int()
    function = _function("mobile_bnn_tile")
    function.restype = ctypes.c_bool
    if not function(isa.encode("utf-8"), ctypes.byref(pixels), ctypes.byref(channels)):
        raise UsageError(f"the native library has no instruction set {isa!r}")
    return f"{isa}-{pixels.value}x{channels.value}"


def peak_gmacs(isa: str, milliseconds: int = 20) -> float | None:
    """The most binary multiply-accumulates a second, in 1e9, of one core with the library's own inner loop.

    Args:
        isa: the instruction set.
        milliseconds: how long it is timed.

    Returns:
        None if this CPU or the library has no such instruction set.

    Raises:
        MobileBnnError: the library is not installed, cannot be loaded, or is older than this package.
    """
    function = _function("mobile_bnn_peak_gmacs")
    function.restype = ctypes.c_double
    return float(function(isa.encode("utf-8"), ctypes.c_int(milliseconds))) or None


def _function(name: str) -> Any:
    path = library_path()
    try:
        return getattr(ctypes.CDLL(str(path)), name)
    except OSError as error:
        raise MobileBnnError("the native library cannot be loaded", why=str(error)) from error
    except AttributeError as error:
        raise MobileBnnError(
            "the native library is older than this package", why=str(error), cure="Install mobile-bnn again"
        ) from error
