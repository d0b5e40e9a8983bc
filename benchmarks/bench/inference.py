"""The engines that are compared: each loads a file and gives a function that runs one inference."""

import ctypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ai_edge_litert.interpreter import Delegate, Interpreter, load_delegate

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.profiling.engines.engine import random_input
from mobile_bnn.profiling.engines.lce import LarqComputeEngine

Inference = Callable[[], object]
LCE_DEFAULT, LCE_INDIRECT, LCE_REFERENCE = "LCE default", "LCE indirect_bgemm", "LCE reference"
LITERT_FLOAT = "LiteRT float"
OURS = "mobile_bnn "  # and an instruction set


@dataclass(frozen=True)
class Engine:
    """An engine, by the name that tables show. `flatbuffer` and threads make an inference."""

    name: str
    load: Callable[[bytes, int], Inference]

    @property
    def reads_float(self) -> bool:
        """Whether it is given the float file."""
        return self.name == LITERT_FLOAT


def engines(library: Path) -> dict[str, Engine]:
    """Every engine, ours once for each instruction set of this CPU, the best one first."""
    every = [
        Engine(LCE_DEFAULT, lambda flatbuffer, threads: _lce(flatbuffer, threads, False, False)),
        Engine(LCE_INDIRECT, lambda flatbuffer, threads: _lce(flatbuffer, threads, False, True)),
        Engine(LCE_REFERENCE, lambda flatbuffer, threads: _lce(flatbuffer, threads, True, False)),
        Engine(LITERT_FLOAT, _litert),
        *(_ours(library, isa) for isa in instruction_sets(library)),
    ]
    return {engine.name: engine for engine in every}


def instruction_sets(library: Path) -> list[str]:
    """Those that the library has kernels for and this CPU can run, the best first."""
    try:
        ctypes.CDLL(str(library))  # the runtime would tell of a file that is no library in several lines
    except OSError as error:
        raise MobileBnnError(f"{library} cannot be loaded", why=first_line(error)) from error
    known = re.search(r"known are ([\w, ]+)", _refusal(library, "?"))
    if known is None:
        raise MobileBnnError("the native library cannot be asked for its instruction sets", why=_refusal(library, "?"))
    return [isa for isa in known[1].split(", ") if not _refusal(library, isa)]


def _refusal(library: Path, isa: str) -> str:
    """Why the library refuses an instruction set, or an empty text."""
    try:
        load_delegate(str(library), {"isa": isa})
    except ValueError as error:
        return str(error)
    return ""


def _ours(library: Path, isa: str) -> Engine:
    def load(flatbuffer: bytes, threads: int) -> Inference:
        return _litert(flatbuffer, threads, load_delegate(str(library), {"isa": isa, "num_threads": str(threads)}))

    return Engine(OURS + isa, load)


def _litert(flatbuffer: bytes, threads: int, delegate: Delegate | None = None) -> Inference:
    delegates = [delegate] if delegate else None
    interpreter = Interpreter(model_content=flatbuffer, num_threads=threads, experimental_delegates=delegates)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], random_input(tuple(detail["shape"]), detail["dtype"]))
    return interpreter.invoke  # type: ignore[no-any-return]


def _lce(flatbuffer: bytes, threads: int, reference: bool, indirect: bool) -> Inference:
    create = LarqComputeEngine().import_library().LiteInterpreter
    interpreter = create(flatbuffer, threads, reference, indirect, False)
    pairs = zip(interpreter.input_shapes, interpreter.input_types, strict=True)
    inputs = [random_input(tuple(shape), dtype) for shape, dtype in pairs]
    return lambda: interpreter.predict(inputs)
