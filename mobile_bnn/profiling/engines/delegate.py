"""Engine `delegate`: stock LiteRT with the native library for the binary operators."""

from importlib.util import find_spec
from typing import Any

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profile_records import OperatorLatency
from mobile_bnn.profiling.engines.engine import Engine, Session
from mobile_bnn.profiling.engines.litert import LiteRt, LiteRtSession, latencies
from mobile_bnn.runtime import Interpreter, kernel_name, library_path
from mobile_bnn.runtime.library import peak_gmacs
from mobile_bnn.runtime.trace import Trace, trace_operators


class Delegate(Engine):
    """mobile_bnn's own runtime, with the best kernels of this CPU (`auto`) or those of an instruction set."""

    name = "delegate"
    kernels = ("auto",)
    further_kernels = ("avx512", "avx2", "sse4", "neon_dot", "neon", "portable")

    def version(self) -> str:
        """The version of mobile_bnn."""
        return __version__

    def unavailable(self) -> str:
        """Why it cannot run here, or an empty string."""
        try:
            library_path()
        except MobileBnnError as error:
            return str(error)
        return "" if find_spec("ai_edge_litert") else "the package ai-edge-litert is not installed"

    def import_library(self) -> Any:
        """Loads LiteRT's interpreter module."""
        return LiteRt().import_library()

    def load(self, flatbuffer: bytes, kernel: str, threads: int) -> Session:
        """Creates an interpreter with a random input for each of the model's inputs."""
        return _Session(flatbuffer, threads, None if kernel == "auto" else kernel)


class _Session(LiteRtSession):
    """The same with the native library."""

    def __init__(self, flatbuffer: bytes, threads: int, isa: str | None) -> None:
        self._model = Interpreter(flatbuffer, num_threads=threads, isa=isa)
        super().__init__(self._model.interpreter, _kernel(self._model), flatbuffer, threads)
        self._isa = isa
        self._delegated: int | None = None

    def time_operators(self, runs: int, *, xnnpack: bool = True) -> list[OperatorLatency]:
        """Times every operator, in an interpreter of its own."""
        trace = self._trace(runs, xnnpack=xnnpack)
        self._delegated = trace.delegated
        return latencies(trace)

    def delegated_operators(self) -> int | None:
        """How many operators of the file our library took."""
        return self._trace(1, xnnpack=True).delegated if self._delegated is None else self._delegated

    def _trace(self, runs: int, *, xnnpack: bool) -> Trace:
        return trace_operators(
            self._flatbuffer, self._batch, runs=runs, num_threads=self._threads, isa=self._isa, xnnpack=xnnpack
        )

    def peak_gmacs(self) -> float | None:
        """Of a core with the instruction set that runs."""
        return peak_gmacs(self._model.isa)


def _kernel(interpreter: Interpreter) -> str:
    try:
        return kernel_name(interpreter.isa)
    except MobileBnnError:  # a library that is too old to tell
        return "auto"
