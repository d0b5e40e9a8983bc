"""Runs a .tflite with LCE's binary operators on a stock TFLite runtime, through the native library."""

import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.names import unknown
from mobile_bnn.runtime.batching import fixed_batch, in_pieces
from mobile_bnn.runtime.classify import ClassScore, class_scores, network_input
from mobile_bnn.runtime.flatbuffer import read_flatbuffer, read_model
from mobile_bnn.runtime.forks import call_in_children, never_destroy
from mobile_bnn.runtime.library import default_isa, litert, load_delegate
from mobile_bnn.runtime.metadata import ModelMetadata, read_metadata
from mobile_bnn.runtime.operator_times import OperatorTime, read_operator_times
from mobile_bnn.runtime.operators import has_binary_operators
from mobile_bnn.runtime.signature import Ends, signature_names
from mobile_bnn.typing import Array, LiteRTInterpreter, LiteRTModule, TensorDetail
from mobile_bnn.wording import plural

Batch = Array | Sequence[Array] | Mapping[str, Array]

# What C++ throws becomes an error of Python's: std::out_of_range an IndexError, for instance.
_OF_THE_RUNTIME = (RuntimeError, ValueError, IndexError, OverflowError)
_WARM_UP = 3  # inferences of profile() that do not count


class Interpreter:
    """A model that is ready to run.

        with Interpreter("model.tflite", num_threads=2) as interpreter:
            probabilities = interpreter.predict(images)

    Several inputs and outputs are in the order of the file's signature; inputs may be given by their names too:

        difference, total = interpreter.predict({"left": left, "right": right})

    Threads may share an interpreter: calls of `predict`, `profile` and `close` take turns, and each gets its own
    result. Interpreters of several threads run side by side, for none holds Python's global lock while it computes; so
    one for each thread, with `num_threads=1`, is the fastest. The runtime's own `interpreter` has no such guard.

    A forked process may use what it inherited, and close it, whatever other threads were doing: where threads were
    lost, the model is prepared anew at its first use there. For `multiprocessing` with "spawn" an interpreter is sent
    as the model and its options. docs/runtimes.md says more.

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
        self,
        model: Path | str | bytes,
        *,
        num_threads: int = 1,
        isa: str | None = None,
        runtime: LiteRTModule = None,
    ) -> None:
        tree = read_model(model)
        self.metadata: ModelMetadata | None = read_metadata(tree)
        self._ends, self._signatures = Ends.of(tree), signature_names(tree)
        self._batch = fixed_batch(tree)
        content = read_flatbuffer(model)
        self._content: bytes | None = content  # the runtime keeps these very bytes too
        self._runtime, self._num_threads, self._isa = runtime, num_threads, isa
        self._options = {"num_threads": str(num_threads)} | ({"isa": isa} if isa else {})
        self._lock = threading.RLock()  # held by whoever uses the runtime's interpreter
        self._running = False
        self._interpreter: LiteRTInterpreter = self._create(content, self._options)
        call_in_children(self, Interpreter._after_fork)

    def __enter__(self) -> "Interpreter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        if self._content is None:
            raise _closed()
        if self._runtime is not None:
            raise UsageError(
                "an interpreter of another runtime cannot be copied or sent", cure="Make it where it is used"
            )
        return partial(type(self), num_threads=self._num_threads, isa=self._isa), (self._content,)

    def close(self) -> None:
        """Waits for what runs in other threads, then frees the model's memory; later calls are refused."""
        with self._lock:
            self._interpreter = self._content = None

    @property
    def interpreter(self) -> LiteRTInterpreter:
        """The runtime's own interpreter, with tensors allocated. Only one thread at a time may use it."""
        with self._lock:
            return self._opened()

    @property
    def isa(self) -> str:
        """The instruction set that the binary operators run: the one asked for, else the best of this CPU."""
        return self._isa or default_isa()

    @property
    def input_names(self) -> list[str]:
        """The inputs' names, in the order in which `predict` takes them: the signature's, else the tensors' own."""
        return [end.name for end in self._ends.inputs]

    @property
    def output_names(self) -> list[str]:
        """The outputs' names, in the order in which `predict` returns them: the signature's, else the tensors' own."""
        return [end.name for end in self._ends.outputs]

    @property
    def input_details(self) -> list[TensorDetail]:
        """What the runtime tells of the inputs, in the order of `input_names`: tensor, shape, dtype, quantization."""
        with self._lock:
            return self._details("input")

    @property
    def output_details(self) -> list[TensorDetail]:
        """What the runtime tells of the outputs, in the order of `output_names`: tensor, shape, dtype, quantization."""
        with self._lock:
            return self._details("output")

    @property
    def signatures(self) -> dict[str, dict[str, list[str]]]:
        """The file's signatures: for each name its "inputs" and "outputs", in the order of the file."""
        return {key: {side: list(names) for side, names in ends.items()} for key, ends in self._signatures.items()}

    def predict(self, batch: Batch) -> Array | list[Array]:
        """Runs a batch of any size.

        Where the file computes samples of its own batch only, which a RESHAPE to fixed sizes, a loop or a mean over the
        batch tells, it runs in pieces of that size.

        Args:
            batch: an array [N, ...] in the input's dtype; for a model of several inputs a list of them in the order of
                `input_names`, or a dict by these names.

        Returns:
            The output [N, ...], or a list of them, in the order of `output_names`, for a model of several outputs.

        Raises:
            UsageError: the arrays do not fit the inputs, or the interpreter is closed; the samples of the file's batch
                change what the others give, and these make no whole batches.
            MobileBnnError: the runtime reports an error.
        """
        arrays = in_order(batch, self.input_names)  # runs code of the arrays' own, so nobody waits for it
        with self._lock:
            interpreter = self._opened()
            if self._running:
                raise MobileBnnError(
                    "the interpreter is running", why="a signal interrupted predict() to call it again"
                )
            try:
                self._running = True
                return _run(interpreter, self._ends, arrays, self._batch)
            finally:
                self._running = False

    def classify(self, image: Array, *, top: int = 5) -> list[ClassScore]:
        """Names what is on an image, by the labels and with the normalization of the file's metadata.

        Args:
            image: uint8 [height, width] or [height, width, channels] of any size, such as `runtime.images.read_image`
                reads; it is cropped to its middle and resized as in tests after training.
            top: how many classes, the most probable first.

        Returns:
            Classes with their probabilities.

        Raises:
            UsageError: the file has no metadata, is not a classifier of one image, or the image is none.
            MobileBnnError: the runtime reports an error.
        """
        prepared = network_input(image, self.metadata, self.input_details)
        output = self.predict(prepared)
        outputs = output if isinstance(output, list) else [output]
        return class_scores(outputs[0], self.metadata, self.output_details[0], top)

    def profile(self, batch: Batch, *, runs: int = 50) -> list[OperatorTime]:
        """Times each operator of the native library; the float operators, which the runtime runs itself, are not in it.

        The batch runs in an interpreter of its own, with the same options, so that other inferences stay as fast; those
        of this interpreter wait.

        Args:
            batch: as for `predict`; where that runs in pieces, the times are those of one.
            runs: inferences to time, after a few that do not count.

        Returns:
            The operators in the order of the file; then those in loops and branches, each with all its calls.

        Raises:
            UsageError: the arrays do not fit the inputs, `runs` is below 1, or the model has no binary operator.
            MobileBnnError: the runtime reports an error.
        """
        if runs < 1:
            raise UsageError(f"{runs} runs cannot be timed", cure="Ask for 1 run or more")
        arrays = in_order(batch, self.input_names)
        with self._lock:
            if self._content is None:
                raise _closed()
            # No TemporaryDirectory: the child of a fork would remove the folder when it ends.
            folder = tempfile.mkdtemp(prefix="mobile_bnn-")
            try:
                return self._profile(self._content, arrays, runs, Path(folder) / "times")
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _profile(self, content: bytes, arrays: list[Array], runs: int, log: Path) -> list[OperatorTime]:
        model = read_model(content)
        if not has_binary_operators(model):
            raise UsageError("there is nothing to profile", why="the model has no binary operator")
        interpreter = self._create(content, {**self._options, "profile": str(log)})
        inferences = []
        with log.open(encoding="ascii", errors="replace", newline="\n") as lines:
            for _ in range(_WARM_UP + runs):
                _run(interpreter, self._ends, [array[: self._batch] for array in arrays], self._batch)
                inferences.append(lines.readlines())
        return read_operator_times(inferences, model, skip=_WARM_UP)

    def _opened(self) -> LiteRTInterpreter:
        if self._content is None:
            raise _closed()
        if self._interpreter is None:  # it stayed with the parent of a fork
            self._interpreter = self._create(self._content, self._options)
        return self._interpreter

    def _after_fork(self) -> None:
        """Makes a new lock, and gives up a runtime whose threads are gone or that another thread was using.

        It is not destroyed: LiteRT would wait for its threads, or end the process.
        """
        idle = self._lock.acquire(blocking=False)
        self._lock = threading.RLock()
        if idle and self._num_threads == 1:
            return
        if not idle:
            self._running = False
        never_destroy(self._interpreter)
        self._interpreter = None

    def _details(self, side: str) -> list[TensorDetail]:
        return _details(self._opened(), self._ends, side)

    def _create(self, content: bytes, options: dict[str, str]) -> LiteRTInterpreter:
        return _create(content, load_delegate(options, self._runtime), self._runtime, self._num_threads)


def _run(interpreter: LiteRTInterpreter, ends: Ends, arrays: list[Array], batch: int | None) -> Array | list[Array]:
    """Runs arrays [N, ...], all at once unless the file takes no other batch than its own."""
    details = _details(interpreter, ends, "input")
    for array, detail, end in zip(arrays, details, ends.inputs, strict=True):
        _check(array, detail, "the model" if len(arrays) == 1 else f"the input {end.name!r}")
    if batch is None or len({len(array) for array in arrays}) > 1 or len(arrays[0]) == batch:
        outputs = _run_once(interpreter, ends, arrays)
    else:
        outputs = in_pieces(partial(_run_once, interpreter, ends), arrays, batch)
    return outputs if len(outputs) > 1 else outputs[0]


def _run_once(interpreter: LiteRTInterpreter, ends: Ends, arrays: Sequence[Array]) -> list[Array]:
    details = _details(interpreter, ends, "input")
    try:
        if any(array.shape != tuple(detail["shape"]) for array, detail in zip(arrays, details, strict=True)):
            for array, detail in zip(arrays, details, strict=True):
                interpreter.resize_tensor_input(detail["index"], array.shape)
            interpreter.allocate_tensors()
        for array, detail in zip(arrays, details, strict=True):
            interpreter.set_tensor(detail["index"], array)
        interpreter.invoke()
        return [interpreter.get_tensor(end.tensor) for end in ends.outputs]
    except _OF_THE_RUNTIME as error:
        raise MobileBnnError("the model cannot run on this batch", why=first_line(error)) from error


def _details(interpreter: LiteRTInterpreter, ends: Ends, side: str) -> list[TensorDetail]:
    found = interpreter.get_input_details() if side == "input" else interpreter.get_output_details()
    by_tensor = {int(detail["index"]): detail for detail in found}
    return [by_tensor[end.tensor] for end in (ends.inputs if side == "input" else ends.outputs)]


def in_order(batch: Batch, names: list[str]) -> list[Array]:
    """The arrays of a batch in the order of the inputs' names.

    Args:
        batch: one array, a list of them in that order, or a dict by name.
        names: of the inputs.

    Raises:
        UsageError: there are more or fewer, or a name is unknown.
    """
    if isinstance(batch, Mapping):
        batch = _by_name(batch, names)
    arrays = batch if isinstance(batch, list | tuple) else [batch]
    if len(arrays) != len(names):
        raise UsageError(f"the model has {plural(len(names), 'input')}, not {len(arrays)}")
    return [np.asarray(array) for array in arrays]


def _by_name(batch: Mapping[str, Array], names: list[str]) -> list[Array]:
    if len(set(names)) < len(names):
        raise UsageError("inputs of the model have the same name", cure="Give a list, in the order of input_details")
    for name in batch:
        if name not in names:
            raise unknown("input", str(name), names)
    if missing := [name for name in names if name not in batch]:
        raise UsageError(f"no array was given for the input {missing[0]!r}", cure=f"The inputs are {', '.join(names)}")
    return [batch[name] for name in names]


def _check(array: Array, detail: TensorDetail, taker: str) -> None:
    expected = tuple(int(size) for size in detail["shape"])
    if array.dtype != detail["dtype"]:
        raise UsageError(f"{taker} takes {np.dtype(detail['dtype'])}, not {array.dtype}")
    if array.ndim != len(expected) or array.shape[1:] != expected[1:] or array.shape[:1] == (0,):
        raise UsageError(f"{taker} takes arrays of (N, {', '.join(map(str, expected[1:]))}), not {array.shape}")


def _closed() -> UsageError:
    return UsageError("this interpreter is closed", cure="Make a new one")


def _create(content: bytes, delegate: object, runtime: LiteRTModule, num_threads: int) -> LiteRTInterpreter:
    try:
        interpreter = (runtime or litert()).Interpreter(
            model_content=content, experimental_delegates=[delegate], num_threads=num_threads
        )
        interpreter.allocate_tensors()
        # Names that are no text are an error here rather than wherever somebody asks for them.
        interpreter.get_input_details()
        interpreter.get_signature_list()
        outputs = interpreter.get_output_details()
    except _OF_THE_RUNTIME as error:
        raise MobileBnnError("the runtime refuses the file", why=first_line(error)) from error
    if not outputs:
        raise MobileBnnError("the model has no outputs")
    return interpreter
