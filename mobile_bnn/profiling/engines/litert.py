"""Engine `litert`: the stock LiteRT interpreter, with XNNPACK, which it applies by itself."""

import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.profiling.engines.engine import Engine, Session, random_input


class LiteRt(Engine):
    """LiteRT of the package ai-edge-litert; knows the builtin operators only."""

    name = "litert"
    kernels = ("xnnpack",)

    def version(self) -> str:
        """The version of ai-edge-litert."""
        try:
            return version("ai-edge-litert")
        except PackageNotFoundError:
            return "unknown"

    def unavailable(self) -> str:
        """Why LiteRT cannot run here, or an empty string."""
        return "" if find_spec("ai_edge_litert") else "the package ai-edge-litert is not installed"

    def import_library(self) -> Any:
        """Loads LiteRT's interpreter module."""
        try:
            from ai_edge_litert import interpreter
        except ImportError as error:
            raise MobileBnnError(
                "the engine litert cannot be loaded", why=first_line(error), cure="pip install ai-edge-litert"
            ) from error
        return interpreter

    def load(self, flatbuffer: bytes, kernel: str, threads: int) -> Session:
        """Creates an interpreter with a random input for each of the model's inputs."""
        try:
            interpreter = self.import_library().Interpreter(model_content=flatbuffer, num_threads=threads)
            interpreter.allocate_tensors()
            return LiteRtSession(interpreter, kernel)
        except (RuntimeError, ValueError) as error:
            raise _refusal(error) from error


class LiteRtSession(Session):
    """A LiteRT interpreter with a random input for each of its inputs."""

    def __init__(self, interpreter: Any, kernel: str) -> None:
        self._interpreter, self.kernel = interpreter, kernel
        self._inputs = [
            (details["index"], random_input(tuple(details["shape"]), details["dtype"]))
            for details in interpreter.get_input_details()
        ]
        self._outputs = [details["index"] for details in interpreter.get_output_details()]

    def invoke(self) -> None:
        """Runs one inference; copying the input in and the output out is part of it, as with every engine."""
        for index, value in self._inputs:
            self._interpreter.set_tensor(index, value)
        self._interpreter.invoke()
        for index in self._outputs:
            self._interpreter.get_tensor(index)


def _refusal(error: Exception) -> MobileBnnError:
    if custom := re.search(r"unresolved custom op: (\w+)", str(error)):
        return MobileBnnError(
            "the engine litert cannot run this file",
            why=f"it does not know the binary operator {custom.group(1)}",
            cure="Use the engine lce for binary files, or profile the float twin, model_float.tflite",
        )
    return MobileBnnError("the engine litert refuses the file", why=first_line(error))
