"""Engine `lce`: Larq Compute Engine's interpreter, without the TensorFlow that its package imports."""

import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.profiling.engines.engine import Engine, Session, random_input

# Under its full name LCE's own package, should it be imported too, finds this very module instead of a second copy.
MODULE = "larq_compute_engine.tflite.python.interpreter_wrapper_lite"


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
        return "" if _extension() else "the package larq-compute-engine is not installed"

    def import_library(self) -> Any:
        """Loads LCE's extension module alone: its package would import TensorFlow, which would be measured too."""
        if MODULE in sys.modules:
            return sys.modules[MODULE]
        path = _extension()
        spec = spec_from_file_location(MODULE, path) if path else None
        try:
            if spec is None or spec.loader is None:
                raise ImportError(self.unavailable())
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
        except ImportError as error:
            raise MobileBnnError(
                "the engine lce cannot be loaded", why=first_line(error), cure="pip install 'mobile-bnn[train]'"
            ) from error
        sys.modules[MODULE] = module
        return module

    def load(self, flatbuffer: bytes, kernel: str, threads: int) -> Session:
        """Creates an interpreter with a random input for each of the model's inputs."""
        create = self.import_library().LiteInterpreter
        try:
            return _Session(create(flatbuffer, threads, False, kernel == "indirect_bgemm", False))
        except (RuntimeError, ValueError) as error:
            # Grouped convolutions and others that the default kernel lacks fail here, and only here.
            cure = "Try lce:indirect_bgemm" if kernel == "bgemm" else ""
            raise MobileBnnError("the engine lce refuses the file", why=first_line(error), cure=cure) from error


class _Session:
    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._inputs = [
            random_input(tuple(shape), dtype)
            for shape, dtype in zip(interpreter.input_shapes, interpreter.input_types, strict=True)
        ]

    def invoke(self) -> None:
        """Runs one inference; copying the input in and the output out is part of it."""
        self._interpreter.predict(self._inputs)


def _extension() -> Path | None:
    """The extension module's file. Finding a top-level package does not run its __init__."""
    package = find_spec("larq_compute_engine")
    for folder in (package and package.submodule_search_locations) or ():
        for path in sorted((Path(folder) / "tflite" / "python").glob("interpreter_wrapper_lite*.so")):
            return path
    return None
