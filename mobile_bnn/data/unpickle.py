"""Unpickles CIFAR-10's python batches without trusting them: nothing but NumPy's byte arrays can be made."""

import io
import pickle

import numpy as np

from mobile_bnn.typing import Array, Json


def _empty_array(kind: object, shape: object, code: object) -> Array:
    """What NumPy's pickles start from, an empty array; any other use of that function is refused."""
    if kind is not np.ndarray or shape != (0,) or code not in ("b", b"b"):
        raise pickle.UnpicklingError("an array that does not start empty")
    return np.empty(0, np.int8)


def _byte_type(code: object, *_: object) -> object:
    """The type of unsigned bytes; other types, objects above all, are refused."""
    if code not in ("u1", b"u1"):
        raise pickle.UnpicklingError(f"an array of type {code!r}")
    return np.dtype("u1")


_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _byte_type,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR-10 batch needs")
        return _ALLOWED[module, name]


def load(content: bytes) -> Json:
    """The object pickled in `content`; Python 2's strings come as bytes.

    Raises:
        Exception: of almost any type if the pickle is cut off or damaged.
        pickle.UnpicklingError: it asks for anything but arrays of bytes and plain containers.
    """
    return _Unpickler(io.BytesIO(content), encoding="bytes").load()
