"""Engine `lce`: Larq Compute Engine's interpreter, without the TensorFlow that its package imports."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.lce_extension import load_lce, why_no_lce
from mobile_bnn.profiling.engines.engine import Engine, Session, Spec, random_input
from mobile_bnn.typing import Array


class LarqComputeEngine(Engine):
    """LCE with its default kernel (`bgemm`) or the one for which it builds no im2col matrix (`indirect_bgemm`)."""

    name = "lce"
    kernels = ("bgemm", "indirect_bgemm")

    def version(self) -> str:
        """The version of larq-compute-engine."""
        try:
            return version("larq-compute-engine")
        except PackageNotFoundError:
            return "unknown"

    def unavailable(self) -> str:
        """Why LCE cannot run here, or an empty string."""
        return why_no_lce()

    def import_library(self) -> Any:
        """Loads LCE's extension module alone: its package would import TensorFlow, which would be measured too."""
        return load_lce()

    def load(self, flatbuffer: bytes, kernel: str, threads: int) -> Session:
        """Creates an interpreter with a random input for each of the model's inputs."""
        create = self.import_library().LiteInterpreter
        try:
            return _Session(create(flatbuffer, threads, False, kernel == "indirect_bgemm", False), kernel)
        except (RuntimeError, ValueError) as error:
            # Grouped convolutions and others that the default kernel lacks fail here, and only here.
            cure = "Try lce:indirect_bgemm" if kernel == "bgemm" else ""
            raise MobileBnnError("the engine lce refuses the file", why=first_line(error), cure=cure) from error


class _Session(Session):
    def __init__(self, interpreter: Any, kernel: str) -> None:
        self._interpreter, self.kernel = interpreter, kernel
        ends = zip(interpreter.input_shapes, interpreter.input_types, strict=True)
        self.inputs = [Spec.of(shape, dtype) for shape, dtype in ends]
        self._batch = [random_input(spec.shape, spec.dtype) for spec in self.inputs]

    def invoke(self) -> None:
        """Runs one inference; copying the input in and the output out is part of it."""
        self._interpreter.predict(self._batch)

    def predict(self, arrays: Sequence[Array]) -> list[Array]:
        """The outputs for an array of each input's shape and dtype."""
        found = self._interpreter.predict(list(arrays))
        return list(found) if isinstance(found, list | tuple) else [found]
