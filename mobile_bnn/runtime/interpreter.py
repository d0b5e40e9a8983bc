"""Runs a .tflite with LCE's binary operators on a stock TFLite runtime, through the native library."""

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.runtime.describe import operator_name
from mobile_bnn.runtime.flatbuffer import read_model
from mobile_bnn.runtime.lce import OPERATORS
from mobile_bnn.runtime.library import default_isa, library_path
from mobile_bnn.runtime.metadata import ModelMetadata, read_metadata
from mobile_bnn.runtime.operator_times import OperatorTime, read_operator_times
from mobile_bnn.wording import plural

Array = npt.NDArray[Any]

_WARM_UP = 3  # inferences of profile() that do not count


class Interpreter:
    """A model that is ready to run.

        with Interpreter("model.tflite", num_threads=2) as interpreter:
            probabilities = interpreter.predict(images)

    Args:
        model: a path, or the file's bytes.
        num_threads: threads of the binary operators, and of the runtime's own.
        isa: instruction set of the binary operators: avx512, avx2, sse4 (x86), neon_dot, neon (64-bit ARM) or portable;
            the best of this CPU by default.
        runtime: the module whose interpreter runs the float operators: `ai_edge_litert.interpreter` by default, or
            `tf.lite`. This class never imports TensorFlow by itself.

    Raises:
        UsageError: there is no such file, or an option that the library does not know.
        MobileBnnError: the file is malformed, or the runtime refuses it.
    """

    def __init__(
        self, model: Path | str | bytes, *, num_threads: int = 1, isa: str | None = None, runtime: Any = None
    ) -> None:
        tree = read_model(model)
        self.metadata: ModelMetadata | None = read_metadata(tree)
        content = model if isinstance(model, bytes) else Path(model).read_bytes()
        self._content: bytes | None = content  # the runtime keeps these very bytes too
        self._runtime, self._num_threads = runtime, num_threads
        self._options = {"num_threads": str(num_threads)} | ({"isa": isa} if isa else {})
        self._interpreter = self._create(content, self._options)

    def __enter__(self) -> "Interpreter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees the model's memory; the interpreter cannot be used any more."""
        self._interpreter = self._content = None

    @property
    def interpreter(self) -> Any:
        """The runtime's own interpreter, with tensors allocated."""
        if self._interpreter is None:
            raise _closed()
        return self._interpreter

    @property
    def isa(self) -> str:
        """The instruction set that the binary operators run: the one asked for, else the best of this CPU."""
        return self._options.get("isa") or default_isa()

    @property
    def input_details(self) -> list[dict[str, Any]]:
        """What the runtime tells of the inputs: name, shape, dtype, quantization."""
        return list(self.interpreter.get_input_details())

    @property
    def output_details(self) -> list[dict[str, Any]]:
        """What the runtime tells of the outputs: name, shape, dtype, quantization."""
        return list(self.interpreter.get_output_details())

    @property
    def signatures(self) -> dict[str, Any]:
        """The model's signatures: for each name its inputs and outputs."""
        return dict(self.interpreter.get_signature_list())

    def predict(self, batch: Array | list[Array]) -> Array | list[Array]:
        """Runs a batch of any size.

        Args:
            batch: an array [N, ...] in the input's dtype, or a list of them for a model of several inputs.

        Returns:
            The output [N, ...], or a list of them for a model of several outputs.

        Raises:
            UsageError: the arrays do not fit the inputs.
            MobileBnnError: the runtime reports an error.
        """
        return _run(self.interpreter, batch)

    def profile(self, batch: Array | list[Array], *, runs: int = 50) -> list[OperatorTime]:
        """Times each operator of the native library; the float operators, which the runtime runs itself, are not in it.

        The batch runs in an interpreter of its own, with the same options, so that other inferences stay as fast.

        Args:
            batch: as for `predict`.
            runs: inferences to time, after a few that do not count.

        Returns:
            The operators in the order of the file.

        Raises:
            UsageError: the arrays do not fit the inputs, `runs` is below 1, or the model has no binary operator.
            MobileBnnError: the runtime reports an error.
        """
        if runs < 1:
            raise UsageError(f"{runs} runs cannot be timed", cure="Ask for 1 run or more")
        if self._content is None:
            raise _closed()
        model = read_model(self._content)
        if not any(operator_name(model, operator) in OPERATORS for operator in model.subgraphs[0].operators):
            raise UsageError("there is nothing to profile", why="the model has no binary operator")
        with tempfile.TemporaryDirectory(prefix="mobile_bnn-") as folder:
            log = Path(folder) / "times"
            interpreter = self._create(self._content, {**self._options, "profile": str(log)})
            for _ in range(_WARM_UP + runs):
                _run(interpreter, batch)
            del interpreter
            with log.open(encoding="ascii", errors="replace", newline="\n") as lines:
                return read_operator_times(lines, model, skip=_WARM_UP)

    def _create(self, content: bytes, options: dict[str, str]) -> Any:
        return _create(content, _load_delegate(self._runtime, options), self._runtime, self._num_threads)


def _run(interpreter: Any, batch: Array | list[Array]) -> Array | list[Array]:
    arrays = batch if isinstance(batch, list) else [batch]
    details = interpreter.get_input_details()
    if len(arrays) != len(details):
        raise UsageError(f"the model has {plural(len(details), 'input')}, not {len(arrays)}")
    arrays = [np.asarray(array) for array in arrays]
    for array, detail in zip(arrays, details, strict=True):
        _check(array, detail)
    try:
        if any(array.shape != tuple(detail["shape"]) for array, detail in zip(arrays, details, strict=True)):
            for array, detail in zip(arrays, details, strict=True):
                interpreter.resize_tensor_input(detail["index"], array.shape)
            interpreter.allocate_tensors()
        for array, detail in zip(arrays, details, strict=True):
            interpreter.set_tensor(detail["index"], array)
        interpreter.invoke()
        outputs = [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
    except (RuntimeError, ValueError) as error:
        raise MobileBnnError("the model cannot run on this batch", why=first_line(error)) from error
    return outputs if len(outputs) > 1 else outputs[0]


def _check(array: Array, detail: dict[str, Any]) -> None:
    expected = tuple(int(size) for size in detail["shape"])
    if array.dtype != detail["dtype"]:
        raise UsageError(f"the model takes {np.dtype(detail['dtype'])}, not {array.dtype}")
    if array.ndim != len(expected) or array.shape[1:] != expected[1:] or array.shape[:1] == (0,):
        raise UsageError(f"the model takes arrays of (N, {', '.join(map(str, expected[1:]))}), not {array.shape}")


def _closed() -> UsageError:
    return UsageError("this interpreter is closed", cure="Make a new one")


def _load_delegate(runtime: Any, options: dict[str, str]) -> Any:
    runtime = runtime or _litert()
    load = getattr(runtime, "load_delegate", None) or runtime.experimental.load_delegate
    try:
        return load(str(library_path()), options)
    except ValueError as error:
        # The runtime puts the library's own message behind a line of its own.
        why = [line for line in str(error).splitlines() if "mobile_bnn:" in line]
        raise UsageError("the native library refuses its options", why=why[-1] if why else first_line(error)) from error


def _create(content: bytes, delegate: Any, runtime: Any, num_threads: int) -> Any:
    try:
        interpreter = (runtime or _litert()).Interpreter(
            model_content=content, experimental_delegates=[delegate], num_threads=num_threads
        )
        interpreter.allocate_tensors()
        # Names that are no text are an error here rather than wherever somebody asks for them.
        interpreter.get_input_details()
        interpreter.get_signature_list()
        outputs = interpreter.get_output_details()
    except (RuntimeError, ValueError) as error:
        raise MobileBnnError("the runtime refuses the file", why=first_line(error)) from error
    if not outputs:
        raise MobileBnnError("the model has no outputs")
    return interpreter


def _litert() -> Any:
    from ai_edge_litert import interpreter

    return interpreter
