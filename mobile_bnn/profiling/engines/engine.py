"""What an engine is: something that loads a .tflite file with a kernel and a number of threads, and runs it."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mobile_bnn.profile_records import OperatorLatency

SEED = 0


class Session(Protocol):
    """A loaded model with its input in place; `kernel` names what runs it, also where "auto" was asked for."""

    kernel: str

    def invoke(self) -> None:
        """Runs one inference."""

    def time_operators(self, runs: int) -> list[OperatorLatency]:
        """Times the operators in so many further inferences; by default the engine does not tell them apart."""
        return []


class Engine(Protocol):
    """A runtime that can be measured.

    Attributes:
        kernels: those worth comparing everywhere; the first is its default.
        further_kernels: others that may be asked for by name; which of them are there, only the machine knows.
    """

    name: str
    kernels: tuple[str, ...]
    further_kernels: tuple[str, ...] = ()

    def version(self) -> str:
        """The version of the installed runtime, or 'unknown'."""

    def unavailable(self) -> str:
        """Why the engine cannot run here, or an empty string. Cheap: loads no native code."""

    def import_library(self) -> Any:
        """Loads the runtime's native code, so that `load` need not.

        Raises:
            MobileBnnError: the engine is not available here.
        """

    def load(self, flatbuffer: bytes, kernel: str, threads: int) -> Session:
        """Creates an interpreter, gives it a seeded random input, and readies it for `invoke`.

        Raises:
            MobileBnnError: the engine is not available here, or it refuses the file.
        """


def random_input(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A seeded random input: standard normal for floats, coin flips for bool, the whole range for integers."""
    generator = np.random.default_rng(SEED)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return generator.standard_normal(shape).astype(kind)
    if kind.kind == "b":
        return generator.integers(0, 2, shape).astype(kind)
    limits = np.iinfo(kind)
    highest = min(limits.max, np.iinfo(np.int64).max)
    return generator.integers(limits.min, highest, shape, dtype=np.int64, endpoint=True).astype(kind)
