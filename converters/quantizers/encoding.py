"""An input of few values as a sum of signs: a = middle + sum over i of half_i * s_i, with s_i in {-1, +1}.

Let the values be base + L_0 < ... < base + L_n with L_0 = 0 (base may be another one in each channel). There are two
such sums, and the one that gives fewer operators is taken:

*Thermometer code*: a = base + sum over i of (L_i+1 - L_i) * [a >= base + L_i+1]. Each bracket is (1 + s_i) / 2, and
s_i is the sign of the source against one threshold. The quantizer itself is no longer needed.

*Bit planes*: if the values are evenly spaced, a = base + step * q with q in 0..n, and q is the sum of 2^i * (its digit
i). The digits are not monotone functions of the source: they are taken from the quantized value, the highest first.
With u = (q + 1/2 - 2^(k-1)) / 2^(k-2) = s_k-1 + s_k-2 / 2 + ... the sign of u is the highest digit, and
2 * (u - clamp(2^k * u, -1, 1)) is the same for the others. Rounding does not matter: u is far from 0. The quantizer
stays, but 2^k values take k convolutions instead of 2^k - 1. With a filter of one base this pays from three bits on.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.graph.rewriter import RESHAPES, Rewriter
from mobile_bnn.converters.quantizers.elementwise import subgraphs
from mobile_bnn.converters.quantizers.steps import (
    MOST_COUNTED,
    StepFunction,
    count_values,
    own_steps,
    step_function,
    steps_of,
)
from mobile_bnn.converters.quantizers.threshold import threshold_of
from mobile_bnn.converters.quantizers.value_sets import MAX_VALUES
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

_CLAMP = schema.ActivationFunctionType.RELU_N1_TO_1
_TOLERANCE = 1e-6  # values that differ by a few roundings of the largest are one


@dataclass(frozen=True)
class Levels:
    """The values of a step function.

    Attributes:
        base: float64 [C], the least of each channel.
        above: float64 [n + 1], what all are above it, rising from 0.
        tolerance: below which values are equal.
    """

    base: Array
    above: Array
    tolerance: float

    def index(self, value: float) -> int | None:
        """Which level a value is in every channel, None if it is none."""
        near = np.abs(value - self.base - self.above[:, None]).max(1)
        return int(near.argmin()) if near.min() <= self.tolerance else None

    @property
    def largest(self) -> float:
        """The largest distance from 0."""
        return float(np.abs([self.base, self.base + self.above[-1]]).max())

    @property
    def step(self) -> float | None:
        """The distance between neighbours if it is the same for all."""
        gaps = np.diff(self.above)
        return float(gaps.mean()) if np.ptp(gaps) <= self.tolerance else None


class Encoding(ABC):
    """A sum of signs that is a tensor of few values.

    Attributes:
        levels: its values.
        source: what the signs are computed from.
        middle: float64 [C].
        amplitudes: of the signs, float.
        codewords: bool [signs, levels], for each level which signs are +1.
        operators: how many it takes to compute what LceQuantize reads.
    """

    levels: Levels
    source: Tensor
    middle: Array
    amplitudes: list[float]
    codewords: Array
    operators: int

    def __init__(
        self, levels: Levels, source: Tensor, amplitudes: Iterable[float], codewords: Array, operators: int
    ) -> None:
        self.source, self.amplitudes, self.codewords, self.operators = (
            source,
            [float(half) for half in amplitudes],
            codewords,
            operators,
        )
        self.levels, self.middle = levels, levels.base + sum(self.amplitudes)

    def cost(self, bases: int) -> int:
        """The operators of a convolution with a filter of so many bases."""
        signs = len(self.amplitudes)
        return self.operators + signs + 2 * signs * bases - 1

    @abstractmethod
    def arguments(self, rewriter: Rewriter, tensor: Tensor) -> list[Tensor]:
        """The tensors whose signs are summed, from the source or a reshaped one that `takes` accepts."""

    @abstractmethod
    def takes(self, tensor: Tensor) -> bool:
        """Whether the signs can be computed from a tensor that the source is the reshape of."""


@dataclass(frozen=True)
class Plane:
    """One of the signs of a sum: what an LceBconv2d reads.

    Attributes:
        sum: the sum.
        number: of the sign among the sum's.
        before: pixels of padding that are written out above and on the left of the map.
    """

    sum: Encoding
    number: int
    before: tuple[int, int] = (0, 0)


class Thermometer(Encoding):
    """A thermometer code, one threshold of the source for each bit."""

    def __init__(self, steps: StepFunction, levels: Levels) -> None:
        edges = levels.above[1:]
        self._signs = [
            threshold_of(_step(steps, steps.levels - levels.base >= edge - levels.tolerance)) for edge in edges
        ]
        codewords = np.tri(len(edges) + 1, len(edges), -1, bool).T
        operators = sum(int((signs.factor < 0).any()) + int(signs.shift.any()) for signs in self._signs)
        super().__init__(levels, steps.subgraph.source, np.diff(levels.above) / 2, codewords, operators)

    def arguments(self, rewriter: Rewriter, tensor: Tensor) -> list[Tensor]:
        """The tensors whose signs are summed."""
        found = []
        for signs in self._signs:
            factor, shift = _per_channel(signs.factor, tensor), _per_channel(signs.shift, tensor)
            argument, operators = replace(signs, source=tensor, factor=factor, shift=shift).argument()
            found.append(rewriter.add_all(operators, argument))
        return found

    def takes(self, tensor: Tensor) -> bool:
        """Whether they can be computed from a tensor that the source is the reshape of."""
        return all(_fits(signs.factor, tensor) and _fits(signs.shift, tensor) for signs in self._signs)


def _step(steps: StepFunction, above: Array) -> StepFunction:
    """A function that is 1 where another is at one of certain levels, bool [steps + 1, C], and 0 where it is not."""
    changes = np.argmax(above != above[0], axis=0)
    threshold = np.take_along_axis(steps.thresholds, np.maximum(changes - 1, 0)[None], 0)
    threshold = np.where(changes > 0, threshold, np.float32(np.inf))
    return StepFunction(steps.subgraph, threshold, above[[0, -1]].astype(np.float32))


def _fits(values: Array, tensor: Tensor) -> bool:
    """Whether a number for each channel of one tensor can be one for each of a reshaped tensor."""
    same = bool((values == values[0]).all())
    return same or len(values) in (tensor.shape[-1], int(np.prod(tensor.shape[1:])))


def _per_channel(values: Array, tensor: Tensor) -> Array:
    """A number for each channel of the tensor that was reshaped to this one, in a shape that broadcasts to it."""
    if (values == values[0]).all():
        return np.full(tensor.shape[-1:], values[0], np.float32)
    return values if len(values) == tensor.shape[-1] else values.reshape(tensor.shape[1:])


class BitPlanes(Encoding):
    """Bit planes of the quantized value, the highest first."""

    def __init__(self, steps: StepFunction, levels: Levels, step: float) -> None:
        self._bits = (len(levels.above) - 1).bit_length()
        self._scale = 1 / (step * 2 ** (self._bits - 2))
        shift = (0.5 - 2 ** (self._bits - 1)) / 2 ** (self._bits - 2) - levels.base * self._scale
        self._shift = shift.astype(np.float32)
        bits = np.arange(self._bits)[::-1]
        codewords = (np.arange(len(levels.above)) >> bits[:, None] & 1).astype(bool)
        operators = len(steps.subgraph.operators) + 2 + 3 * (self._bits - 1) - 1
        super().__init__(levels, steps.subgraph.output, step * 2.0**bits / 2, codewords, operators)

    def arguments(self, rewriter: Rewriter, tensor: Tensor) -> list[Tensor]:
        """The tensors whose signs are summed."""
        rest = rewriter.elementwise("MUL", tensor, np.full(tensor.shape[-1:], self._scale))
        rest = rewriter.elementwise("ADD", rest, _per_channel(self._shift, tensor))
        digits = [rest]
        for bit in range(1, self._bits):
            factor = np.full(tensor.shape[-1:], 2.0**self._bits)
            rest = rewriter.elementwise("SUB", rest, rewriter.elementwise("MUL", rest, factor, _CLAMP))
            digits.append(rest)
            if bit < self._bits - 1:
                rest = rewriter.elementwise("ADD", rest, rest)
        return digits

    def takes(self, tensor: Tensor) -> bool:
        """Whether they can be computed from a tensor that the source is the reshape of."""
        return _fits(self._shift, tensor)


def quantizer_of(graph: Graph, tensor: Tensor) -> StepFunction:
    """The step function that ends in a tensor or one that it is a reshape of, or its own.

    Raises:
        NoMatch: there is none; input-not-quantized, or input-too-many-values if it has more than there may be.
    """
    for part in reshaped_from(graph, tensor):
        try:
            found = step_function(graph, part)
        except NoMatch as why:
            reason = why
            continue
        return found if found.steps == 1 else _farthest(graph, found)
    own = own_steps(graph, tensor)
    if own is None:
        counts = [count_values(graph, part) for part in reshaped_from(graph, tensor)]
        if count := next((each for each in counts if each is not None), None):
            values = f"{count}" if count < MOST_COUNTED else f"{count} or more"
            text = f"its input takes more than {MAX_VALUES} values: {values}"
            raise NoMatch(RefusalCode.INPUT_TOO_MANY_VALUES, text) from reason
        raise NoMatch(RefusalCode.INPUT_NOT_QUANTIZED, f"its input is not quantized: {reason}") from reason
    return own


def _farthest(graph: Graph, found: StepFunction) -> StepFunction:
    """The same function of the tensor farthest up: its thresholds replace every operator in between."""
    farthest = found
    for subgraph in subgraphs(graph, found.subgraph.output):
        with suppress(NoMatch):
            other = steps_of(subgraph)
            farthest = other if other.steps == found.steps else farthest
    return farthest


def reshaped_from(graph: Graph, tensor: Tensor) -> list[Tensor]:
    """A tensor and those that it is a reshape of, the nearest first."""
    found = [tensor]
    while (producer := graph.producer(found[-1])) is not None and producer.op_type in RESHAPES:
        found += [part for part in producer.inputs[:1] if part is not None]
    return found


def encode(steps: StepFunction, bases: int) -> Encoding:
    """A step function as a sum of signs, for a filter of so many bases.

    Raises:
        NoMatch: it has one value, or other ones in each channel.
    """
    exact = steps.levels.astype(np.float64)
    base = exact.min(0)
    tolerance = _TOLERANCE * float(np.abs(exact).max())
    values = np.unique(exact - base)
    levels = Levels(base, values[np.diff(values, prepend=-np.inf) > tolerance], tolerance)
    if len(levels.above) == 1:
        raise NoMatch(RefusalCode.INPUT_SINGLE_VALUED, "its input has one value")
    if len(levels.above) > steps.steps + 1:
        raise NoMatch(RefusalCode.INPUT_CHANNELS_DIFFER, "its input has other values in each channel")
    sums: list[Encoding] = [Thermometer(steps, levels)]
    if len(levels.above) > 2 and (step := levels.step) is not None:
        sums.append(BitPlanes(steps, levels, step))
    return min(sums, key=lambda found: found.cost(bases))


def packed(rewriter: Rewriter, found: Encoding, view: tuple[int, ...], around: "Around | None") -> list[Tensor]:
    """The packed signs of a sum, each a map of that shape and what is put around it."""
    if around is None and (whole := _whole(rewriter.graph, found, view)) is not None:
        words = (*view[:-1], (view[-1] + 31) // 32)
        return [rewriter.reshape(rewriter.quantize(argument), words) for argument in found.arguments(rewriter, whole)]
    maps = _maps(rewriter, found, view)
    if around is not None:
        values = [1.0 if above else -1.0 for above in around.signs]
        maps = [
            rewriter.pad(part, around.before, around.after, value) for part, value in zip(maps, values, strict=True)
        ]
    return [rewriter.quantize(part) for part in maps]


def _whole(graph: Graph, found: Encoding, view: tuple[int, ...]) -> Tensor | None:
    """The source, or what it is a reshape of, if its packed words are those of the view: at best of its very shape.

    The words of a flattened tensor are its flattened words if its channels fill them.
    """
    tensors = [tensor for tensor in reshaped_from(graph, found.source) if found.takes(tensor)]
    nearest = next((tensor for tensor in tensors if tensor.shape == view), tensors[-1])
    size, last = nearest.shape[-1], view[-1]
    return nearest if size == last or size % 32 == last % 32 == 0 else None


def _maps(rewriter: Rewriter, found: Encoding, view: tuple[int, ...]) -> list[Tensor]:
    """What LceQuantize reads, in the view's shape."""
    if not found.takes(Tensor.of("view", view, np.float32)):
        return [rewriter.reshape(argument, view) for argument in found.arguments(rewriter, found.source)]
    tensors = reshaped_from(rewriter.graph, found.source)
    source = next((tensor for tensor in tensors if tensor.shape == view), tensors[-1])
    return found.arguments(rewriter, rewriter.reshape(source, view))


@dataclass(frozen=True)
class Around:
    """Pixels around a map that are written out.

    Attributes:
        signs: for each sign of a sum, whether it is +1 there.
        before: rows and columns above and on the left.
        after: rows and columns below and on the right.
    """

    signs: Array
    before: tuple[int, int]
    after: tuple[int, int]
