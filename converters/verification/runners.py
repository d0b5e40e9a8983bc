"""Runs a file in LiteRT on a batch, sample by sample."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate

from mobile_bnn.converters.graph.model import Graph
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.storage.io_types import as_input, as_output
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.runtime import library_path
from mobile_bnn.typing import Array


class FileRunner:
    """A .tflite in LiteRT.

    Args:
        flatbuffer: the file's bytes, or its path; a path may be removed once this is made.
        delegates: with the native library, which LCE's operators need, and XNNPACK.

    Raises:
        MobileBnnError: LiteRT refuses it.
    """

    def __init__(self, flatbuffer: bytes | Path, delegates: bool = True) -> None:
        self._flatbuffer = flatbuffer  # LiteRT reads these very bytes
        source = {"model_path": str(flatbuffer)} if isinstance(flatbuffer, Path) else {"model_content": flatbuffer}
        resolver = OpResolverType.AUTO if delegates else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        with caught_stderr() as printed:
            try:
                self._interpreter = Interpreter(
                    **source,
                    experimental_delegates=[load_delegate(str(library_path()))] if delegates else None,
                    experimental_op_resolver_type=resolver,
                )
                self._interpreter.allocate_tensors()
                return
            except (RuntimeError, ValueError) as error:
                cause = first_line(error)
        told = [line for line in printed if line.startswith("ERROR")]
        raise MobileBnnError("LiteRT refuses the file", why=told[0] if told else cause)

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """Of each input, with the file's batch."""
        return [tuple(int(size) for size in detail["shape"]) for detail in self._interpreter.get_input_details()]

    def start(self, inputs: Sequence[Array]) -> None:
        """Nothing: it runs in this process, when it is asked to."""

    def close(self) -> None:
        """Nothing, either."""

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Runs inputs [N, ...] in batches of the file's size, of which N is a multiple; returns outputs [N, ...].

        Those that the file has in int8 are float32 here.

        Raises:
            MobileBnnError: an operator of it fails.
        """
        details, ends = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        batch = int(details[0]["shape"][0])
        parts = []
        for start in range(0, len(inputs[0]), batch):
            for detail, values in zip(details, inputs, strict=True):
                given = as_input(values[start : start + batch], detail)
                self._interpreter.set_tensor(detail["index"], given.astype(detail["dtype"]))
            self._invoke()
            parts.append([as_output(self._interpreter.get_tensor(end["index"]), end) for end in ends])
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def run_once(self, inputs: Sequence[Array]) -> list[Array]:
        """Runs inputs of any shapes, all at once, and returns the outputs as they are.

        Raises:
            MobileBnnError: an operator of it fails.
        """
        details = self._interpreter.get_input_details()
        if any(tuple(detail["shape"]) != values.shape for detail, values in zip(details, inputs, strict=True)):
            for detail, values in zip(details, inputs, strict=True):
                self._interpreter.resize_tensor_input(detail["index"], values.shape)
            self._interpreter.allocate_tensors()
        for detail, values in zip(details, inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
        self._invoke()
        return outputs_of(self._interpreter)

    def _invoke(self) -> None:
        try:
            self._interpreter.invoke()
        except RuntimeError as error:  # some kernels look at their operands only now
            raise MobileBnnError("LiteRT cannot run the file", why=first_line(error)) from error


def outputs_of(interpreter: Interpreter) -> list[Array]:
    """The outputs as they are after a run; LiteRT does not give out those that are empty."""
    return [
        np.asarray(interpreter.get_tensor(end["index"])) if all(end["shape"]) else np.zeros(end["shape"], end["dtype"])
        for end in interpreter.get_output_details()
    ]


def float_runner(model: TfliteModel, sharing: Iterable[Graph] = ()) -> FileRunner:
    """A float model by TFLite's own kernels, as `run_float_file` runs it.

    It is mapped from a file without a name: large constants are in memory once, and not at all where that is short.

    Args:
        model: the model.
        sharing: graphs with the same constants, which from now on are those of that file.
    """
    with NamedTemporaryFile(suffix=".tflite") as file:
        model.write_mapped(file, sharing)
        return FileRunner(Path(file.name), delegates=False)


def run_float_file(flatbuffer: bytes, inputs: Sequence[Array]) -> list[Array]:
    """The outputs [N, ...] of a float file on inputs [N, ...], by TFLite's own kernels.

    XNNPACK is not trusted here: the one of LiteRT 2.3 makes one clamp of RELU_N1_TO_1 and RELU6 after it, and gives
    other values for tensors inside a graph that are outputs too. Nor are several threads: with two, its own CONV_2D of
    2x2 with SAME on a map of 2x2 leaves numbers that nobody wrote.
    """
    return FileRunner(flatbuffer, delegates=False).run(inputs)
