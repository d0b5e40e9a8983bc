"""Engine `litert`: the stock LiteRT interpreter, with XNNPACK, which it applies by itself."""

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.profile_records import OperatorLatency
from mobile_bnn.profiling.engines.engine import Engine, Session, Spec, random_input
from mobile_bnn.runtime.trace import Trace, trace_operators
from mobile_bnn.typing import Array


class LiteRt(Engine):
    """LiteRT of the package ai-edge-litert with XNNPACK, or without it (`plain`); knows the builtin operators only."""

    name = "litert"
    kernels = ("xnnpack",)
    further_kernels = ("plain",)

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
            interpreter = create(self.import_library(), flatbuffer, threads, xnnpack=kernel != "plain")
            return LiteRtSession(interpreter, kernel, flatbuffer, threads)
        except (RuntimeError, ValueError) as error:
            raise _refusal(error) from error


class LiteRtSession(Session):
    """A LiteRT interpreter with a random input for each of its inputs."""

    def __init__(self, interpreter: Any, kernel: str, flatbuffer: bytes, threads: int) -> None:
        self._interpreter, self.kernel = interpreter, kernel
        self._flatbuffer, self._threads = flatbuffer, threads
        details = interpreter.get_input_details()
        self.inputs = [Spec.of(each["shape"], each["dtype"]) for each in details]
        self._tensors = [each["index"] for each in details]
        self._batch = [random_input(spec.shape, spec.dtype) for spec in self.inputs]
        self._outputs = [each["index"] for each in interpreter.get_output_details()]

    def invoke(self) -> None:
        """Runs one inference; copying the input in and the output out is part of it, as with every engine."""
        self.predict(self._batch)

    def predict(self, arrays: Sequence[Array]) -> list[Array]:
        """The outputs for an array of each input's shape and dtype."""
        for tensor, value in zip(self._tensors, arrays, strict=True):
            self._interpreter.set_tensor(tensor, value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(tensor) for tensor in self._outputs]

    def time_operators(self, runs: int, *, xnnpack: bool = True) -> list[OperatorLatency]:
        """Times every operator, in an interpreter of its own; none where our library, which times them, is missing."""
        if xnnpack and self.kernel == "plain":
            return []
        try:
            trace = trace_operators(
                self._flatbuffer, self._batch, runs=runs, num_threads=self._threads, xnnpack=xnnpack, with_library=False
            )
        except MobileBnnError:
            return []
        return latencies(trace)


def latencies(trace: Trace) -> list[OperatorLatency]:
    """The same for a record."""
    return [
        OperatorLatency(
            operator=each.operator,
            name=each.name,
            layer=each.layer,
            median_ms=each.median_ms,
            subgraph=each.subgraph,
            calls=each.calls,
            operators=list(each.operators),
            runs_in=each.runs_in,
        )
        for each in trace.times
    ]


def create(library: Any, flatbuffer: bytes, threads: int, *, xnnpack: bool) -> Any:
    """An interpreter of LiteRT with its tensors allocated, with XNNPACK or without.

    Raises:
        RuntimeError, ValueError: of LiteRT.
    """
    resolver = library.OpResolverType
    kind = resolver.AUTO if xnnpack else resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = library.Interpreter(model_content=flatbuffer, num_threads=threads, experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    return interpreter


def _refusal(error: Exception) -> MobileBnnError:
    if custom := re.search(r"unresolved custom op: (\w+)", str(error)):
        return MobileBnnError(
            "the engine litert cannot run this file",
            why=f"it does not know the binary operator {custom.group(1)}",
            cure="Use the engine lce for binary files, or profile the float twin, model_float.tflite",
        )
    return MobileBnnError("the engine litert refuses the file", why=first_line(error))
