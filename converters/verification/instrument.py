"""Looks inside a binary file: which operators stand for which layer, and the bits that go into them."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Protocol

import numpy as np

from mobile_bnn.child_process import StartedModule, complaint, end_of, last_line
from mobile_bnn.converters.graph.bit_packing import pack, unpack
from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import Layer
from mobile_bnn.converters.verification.runners import FileRunner
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.typing import Array


class Runner(Protocol):
    """Runs one file. Where it does so in another process, that one may start before its results are asked for."""

    def start(self, inputs: Sequence[Array]) -> None:
        """Begins with inputs that `run` will be given."""

    def close(self) -> None:
        """Ends what was started."""

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Runs inputs [N, ...]; returns outputs [N, ...]."""


@dataclass(frozen=True)
class BinaryOperator:
    """A binary convolution of the file.

    Attributes:
        index: of the operator in the file.
        layer: position of the layer that it stands for, wholly or in part, or -1 if it holds a filter of none.
        channels: of its input.
        words: its bit-packed input.
        turned: bool [channels], those whose signs it takes turned around, or those whose it does not: a filter alone
            cannot tell, because its outputs may be turned, too.
        fits: every filter of the layers that it may stand for, by its place among all of them, with that layer and what
            is turned around then: calls of one layer have the same filter.
    """

    index: int
    layer: int
    channels: int
    words: Tensor
    turned: Array
    fits: dict[int, tuple[int, Array]] = field(default_factory=dict)

    def at(self, place: int) -> "BinaryOperator":
        """The same, standing for the layer of another filter that fits."""
        layer, turned = self.fits[place]
        return replace(self, layer=layer, turned=turned)


def binary_operators(graph: Graph, layers: Sequence[Layer]) -> list[BinaryOperator]:
    """The LceBconv2d operators of a file, each with the layer that has the same filter, bit by bit.

    Filters are compared instead of names, because converters shorten, merge and reuse names; layers that were not made
    binary in this file are passed over. Of equal filters the first operator has the first.
    """
    wanted = [(number, words) for number, layer in enumerate(layers) for words in layer.filters]
    found, free = list[BinaryOperator](), set(range(len(wanted)))
    for index, operator in enumerate(graph.operators):
        if operator.op_type != "LceBconv2d":
            continue
        words, filters = operator.inputs[0], operator.inputs[1]
        packed = None if filters is None else filters.values
        if words is None or packed is None or packed.dtype != np.int32 or packed.ndim != 4:
            raise MobileBnnError(f"operator {index} has no constant filter")
        channels = int(operator.custom_options.get("channels_in", 0))
        if not 0 < channels <= words.shape[-1] * 32:
            raise MobileBnnError(f"operator {index} reads {channels} channels of {words.shape[-1]} words")
        differ = ((at, number, _differing(packed, other, channels)) for at, (number, other) in enumerate(wanted))
        fits = {at: (number, turned) for at, number, turned in differ if turned is not None}
        one = BinaryOperator(index, -1, channels, words, np.zeros(channels, bool), fits)
        if place := [at for at in fits if at in free][:1]:
            free.discard(*place)
            one = one.at(*place)
        found.append(one)
    return found


def _differing(one: Array, other: Array, channels: int) -> Array | None:
    """The input channels, bool [channels], in whose signs a filter differs from another one; None if in more.

    A batch norm's negative factor turns an output channel around, one before a pool an input channel.

    Args:
        one: int32 [out, height, width, words].
        other: the same.
        channels: of the input.
    """
    if one.shape != other.shape:
        return None
    if np.array_equal(one, other):
        return np.zeros(channels, bool)
    group = min(channels, one.shape[3] * 32)
    differs = (one ^ other).reshape(len(one), -1, one.shape[3])
    inputs, whole = differs[0, 0], pack(np.ones(group, bool))
    outputs = (differs[:, :1, :1] ^ inputs[0]) & 1 == 1
    if (differs != inputs ^ np.where(outputs, whole, 0)).any():
        return None
    turned = unpack(inputs, group)
    return turned if group == channels else np.tile(turned, channels // group)


class InstrumentedModel:
    """A binary file that also returns what goes into each binary convolution.

    Args:
        model: the file.
        operators: its binary convolutions.
        runner: makes a runner of a file.

    Attributes:
        operators: the same ones.
    """

    def __init__(
        self, model: TfliteModel, operators: Sequence[BinaryOperator], runner: Callable[[bytes], Runner] = FileRunner
    ) -> None:
        graph = model.graphs[0]
        self.operators = operators
        self._outputs = len(graph.outputs)
        unique: dict[int, Tensor] = {id(operator.words): operator.words for operator in operators}
        outside = {id(tensor) for tensor in (*graph.outputs, *graph.inputs)}
        self._inputs = graph.inputs
        self._tensors = [*graph.outputs, *(tensor for key, tensor in unique.items() if key not in outside)]
        tapped = Graph(graph.name, graph.inputs, self._tensors, graph.operators)
        self._flatbuffer = TfliteModel([tapped, *model.graphs[1:]], [], model.table).write()
        self._make, self._runner = runner, runner(self._flatbuffer)
        self._last: tuple[Sequence[Array], tuple[list[Array], list[Array]]] | None = None

    def in_runner(self, runner: Callable[[bytes], Runner]) -> "InstrumentedModel":
        """The same file in another runner; this one, if it is in such a runner."""
        if runner is self._make:
            return self
        other = copy(self)
        other._make, other._runner, other._last = runner, runner(self._flatbuffer), None
        return other

    def start(self, inputs: Sequence[Array]) -> None:
        """Begins with inputs that `run` will be given, if that is done in another process."""
        self._runner.start(inputs)

    def close(self) -> None:
        """Ends what was started."""
        self._runner.close()

    def run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """Runs inputs [N, ...]; the very same ones but once: several references are compared with it.

        Returns:
            The outputs [N, ...], and for each operator its input's sign bits, bool [N, H, W, channels].
        """
        if self._last is None or self._last[0] is not inputs:
            self._last = inputs, self._run(inputs)
        return self._last[1]

    def _run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        outputs = self._runner.run(inputs)
        known = {id(tensor): values for tensor, values in zip(self._inputs, inputs, strict=True)}
        known |= {id(tensor): values for tensor, values in zip(self._tensors, outputs, strict=True)}
        return outputs[: self._outputs], [
            unpack(known[id(operator.words)], operator.channels) for operator in self.operators
        ]


class LceRunner:
    """A file in LCE's interpreter, in a process of its own: it aborts on some graphs, which must not end the caller."""

    def __init__(self, flatbuffer: bytes) -> None:
        self._flatbuffer = flatbuffer
        self._started: tuple[Sequence[Array], StartedModule] | None = None

    def start(self, inputs: Sequence[Array]) -> None:
        """Begins to run inputs that `run` will be given."""
        self.close()
        given = BytesIO()
        np.savez(given, np.frombuffer(self._flatbuffer, np.uint8), *inputs)
        module = StartedModule("mobile_bnn.converters.verification.lce_interpreter", given.getvalue())
        self._started = inputs, module

    def close(self) -> None:
        """Ends the process if there is one."""
        if self._started is not None:
            self._started[1].close()
            self._started = None

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Runs inputs [N, ...] one by one; returns outputs [N, ...].

        Raises:
            MobileBnnError: LCE is not installed, refuses the file, or crashes.
        """
        if self._started is None or self._started[0] is not inputs:
            self.start(inputs)
        assert self._started is not None
        try:
            process = self._started[1].result()
        finally:
            self.close()
        if process.returncode == 0:
            with np.load(BytesIO(process.stdout), allow_pickle=False) as outputs:
                return list(outputs.values())
        if process.returncode > 0:
            raise MobileBnnError(last_line(process))
        told = complaint(process)
        raise MobileBnnError(
            "LCE's interpreter crashed while it ran the file",
            why=f"its process {end_of(process.returncode)}" + (f" ({told})" if told else ""),
        )
