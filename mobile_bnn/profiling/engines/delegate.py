"""Engine `delegate`: stock LiteRT with the native library for the binary operators."""

from importlib.util import find_spec
from typing import Any

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.engines.engine import Engine, Session
from mobile_bnn.profiling.engines.litert import LiteRt, LiteRtSession
from mobile_bnn.runtime import Interpreter, library_path


class Delegate(Engine):
    """mobile_bnn's own runtime, with the best kernels of this CPU."""

    name = "delegate"
    kernels = ("auto",)

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
        return LiteRtSession(Interpreter(flatbuffer, num_threads=threads).interpreter)
