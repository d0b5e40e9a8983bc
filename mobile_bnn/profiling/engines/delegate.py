"""Engine `delegate`: stock LiteRT with the native library for the binary operators."""

from importlib.util import find_spec
from typing import Any

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profile_records import OperatorLatency
from mobile_bnn.profiling.engines.engine import Engine, Session, random_input
from mobile_bnn.profiling.engines.litert import LiteRt, LiteRtSession
from mobile_bnn.runtime import Interpreter, kernel_name, library_path


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
        interpreter = Interpreter(flatbuffer, num_threads=threads, isa=None if kernel == "auto" else kernel)
        return _Session(interpreter)


class _Session(LiteRtSession):
    """The same, and it tells the operators of the native library apart."""

    def __init__(self, model: Interpreter) -> None:
        super().__init__(model.interpreter, _kernel(model))
        self._model = model

    def time_operators(self, runs: int, *, xnnpack: bool = True) -> list[OperatorLatency]:
        """Times the binary operators; a file without any has none, as does a library that is too old to tell."""
        inputs = [random_input(tuple(each["shape"]), each["dtype"]) for each in self._model.input_details]
        try:
            times = self._model.profile(inputs, runs=runs)
        except UsageError:
            return []
        return [
            OperatorLatency(
                operator=each.operator,
                name=each.name,
                layer=each.layer,
                median_ms=each.median_ms,
                subgraph=each.subgraph,
                calls=each.calls,
            )
            for each in times
        ]


def _kernel(interpreter: Interpreter) -> str:
    try:
        return kernel_name(interpreter.isa)
    except MobileBnnError:  # a library that is too old to tell
        return "auto"
