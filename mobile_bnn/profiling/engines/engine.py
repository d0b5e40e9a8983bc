"""What an engine is: something that loads a .tflite file with a kernel and a number of threads, and runs it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mobile_bnn.profile_records import OperatorLatency
from mobile_bnn.typing import Array

SEED = 0


@dataclass(frozen=True)
class Spec:
    """An input or an output of a model: its shape, batch included, and its dtype."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, shape: Iterable[int], dtype: npt.DTypeLike) -> "Spec":
        """The same from whatever a runtime tells."""
        return cls(tuple(int(size) for size in shape), np.dtype(dtype))

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """How many bytes it takes."""
        return self.elements * self.dtype.itemsize


class Session(Protocol):
    """A loaded model with its input in place.

    Attributes:
        kernel: what runs it, also where "auto" was asked for.
        inputs: in the order of the file.
    """

    kernel: str
    inputs: Sequence[Spec]

    def invoke(self) -> None:
        """Runs one inference of the input that is in place."""

    def predict(self, arrays: Sequence[Array]) -> list[Array]:
        """The outputs for an array of each input's shape and dtype, in the order of the file."""

    def time_operators(self, runs: int, *, xnnpack: bool = True) -> list[OperatorLatency]:
        """Times the operators in so many further inferences; by default the engine does not tell them apart.

        Args:
            runs: how many.
            xnnpack: False runs the float operators one by one, with the runtime's own kernels.
        """
        return []

    def delegated_operators(self) -> int | None:
        """How many operators of the file our library took; None where it takes no part."""
        return None

    def peak_gmacs(self) -> float | None:
        """The most binary multiply-accumulates a second, in 1e9, that a core does in this moment; None if not known."""
        return None


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


def random_input(shape: tuple[int, ...], dtype: npt.DTypeLike, seed: int = SEED) -> npt.NDArray[Any]:
    """A seeded random input: standard normal for floats, coin flips for bool, the whole range for integers."""
    generator = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return generator.standard_normal(shape).astype(kind)
    if kind.kind == "b":
        return generator.integers(0, 2, shape).astype(kind)
    limits = np.iinfo(kind)
    highest = min(limits.max, np.iinfo(np.int64).max)
    return generator.integers(limits.min, highest, shape, dtype=np.int64, endpoint=True).astype(kind)
