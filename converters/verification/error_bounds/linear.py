"""Sums of products: convolutions and matrix products.

Each of n products is rounded, and each partial sum. In the worst case an error of n roundings of the sum of absolute
terms comes out; rounding errors are as good as independent, so that a few times sqrt(n) of them is already more than
is ever seen (Higham and Mary, "A New Approach to Probabilistic Rounding Error Analysis", 2019, theorem 2.4). What was
rounded before the sum adds up as independent errors do, by squares, or a deep network would be bounded by infinity.
Jumps are whole steps, and add up by their absolute values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

import numpy as np

from mobile_bnn.converters.graph.model import Operator
from mobile_bnn.converters.verification.error_bounds.bound import (
    NOTHING,
    ROUNDING,
    Bounded,
    Bounds,
    is_representable,
    quantum_of,
)
from mobile_bnn.converters.verification.error_bounds.replay import Replay
from mobile_bnn.typing import Array

# For each type of operator the numbers of its data, its filter and its bias, and the filter's axis of output channels.
_PLACES = {
    "CONV_2D": (0, 1, 2, 0),
    "DEPTHWISE_CONV_2D": (0, 1, 2, 3),
    "FULLY_CONNECTED": (0, 1, 2, 0),
    "TRANSPOSE_CONV": (2, 1, 3, 0),
    "CONV_3D": (0, 1, 2, 4),
    "CONV_3D_TRANSPOSE": (2, 1, 3, 3),
}
LINEAR = frozenset(_PLACES)
_Any = TypeVar("_Any")
_DEVIATIONS = 4.0  # of the sum of n independent roundings
_AFTER = 3.0  # roundings of the sum itself: its scale, its bias, and a constant that was folded
# A filter that is a sum of binary ones is so up to a few roundings of its largest value (quantizers/weights.py).
_DECOMPOSED = 2e-6
_LOPSIDED = 2.0  # and its parts add up to no more than so many times its largest value


def is_of_data(operator: Operator) -> bool:
    """Whether an operator of LINEAR multiplies what is computed; a constant by a computed filter is another matter."""
    data = operator.inputs[_PLACES[operator.op_type][0]]
    return data is not None and data.content is None


def roundings(terms: int) -> float:
    """How many roundings of the sum of absolute terms a sum of so many may be off."""
    return min(float(terms), _DEVIATIONS * sqrt(terms)) + _AFTER


@dataclass(frozen=True)
class BinarySums:
    """How a binary file computes a layer: as sums of signs, each times a scale of its own.

    Attributes:
        terms: signs in one sum; of a depthwise layer these are the channels' too, most of which cancel out.
        level: the largest absolute value that the layer's input can have.
        quantum: a power of two that what each sign of the input stands for is a multiple of.
        is_plain: whether there is one sum only.
    """

    terms: int
    level: float
    quantum: float
    is_plain: bool


class Linear:
    """A linear operator with a constant filter or a computed one.

    Args:
        operator: of the graph.
        sums: how another evaluation may compute it, if it becomes a binary layer: as if all terms were the largest.
    """

    def __init__(self, operator: Operator, sums: BinarySums | None) -> None:
        self._operator, self._sums = operator, sums
        self._data, self._filter, self._bias, axis = _PLACES[operator.op_type]
        self._weights = self._constant(self._filter)
        self._offset = self._constant(self._bias)
        filters = operator.inputs[self._filter]
        shape = () if filters is None else filters.shape
        self._terms = int(np.prod(shape)) // max(1, shape[axis])
        self._replays: dict[str, Replay] = {}
        self._output_shape: tuple[int, ...] = ()
        self._quantum: float | None = None
        if self._weights is not None:
            others = tuple(each for each in range(len(shape)) if each != axis)
            self._largest = np.maximum(self._weights.max(others), -self._weights.min(others)).astype(np.float64)
            self._release()

    def _constant(self, number: int) -> Array | None:
        tensor = self._operator.inputs[number] if number < len(self._operator.inputs) else None
        return None if tensor is None else tensor.values

    def __call__(self, inputs: Sequence[Bounded | None], values: Array, bias_magnitude: Array | None) -> Bounded:
        """The bound of its result.

        Args:
            inputs: of the operator, None where one was left out.
            values: of the result.
            bias_magnitude: of the terms that the bias was computed from, where these are larger than it.
        """
        data, filters = inputs[self._data], inputs[self._filter]
        self._output_shape = values.shape
        assert data is not None
        assert filters is not None
        offset = 0.0 if self._offset is None else np.abs(self._offset.astype(np.float64))
        offset = offset if bias_magnitude is None else np.maximum(offset, bias_magnitude)
        jump = NOTHING if not data.jump.any() else self._sum("absolute", data.jump, data, filters)
        if filters.jump.any():
            jump = jump + self._of_filter(data, filters)
        if self._weights is not None and self._sums is not None:
            spread = self._sums.terms * self._sums.level * (1 if self._sums.is_plain else _LOPSIDED)
            magnitude = spread * self._largest + offset
        else:
            magnitude = self._sum("absolute", np.abs(data.values), data, filters) + offset
        quantum = self._exact_quantum(float(np.max(magnitude, initial=0)), data, filters)
        if quantum:
            return Bounded(values, NOTHING, jump, magnitude, quantum)
        noise = ROUNDING * roundings(self._terms) * magnitude
        if self._sums is not None and not self._sums.is_plain:
            noise = noise + _DECOMPOSED * magnitude
        if not data.is_exact:
            noise = noise + self._spread(data, filters)
        if not filters.is_exact and not filters.jump.any():
            noise = noise + self._of_filter(data, filters)
        return Bounded(values, noise, jump, None if self._sums is None else magnitude)

    def _exact_quantum(self, magnitude: float, data: Bounded, filters: Bounded) -> float:
        """What all products and the bias are multiples of, if then no sum of them is rounded; 0 otherwise."""
        grid = data.grid()
        if self._weights is None:
            quantum = self._common_quantum(grid, filters.grid())
        else:  # that of the largest weights is not finer than that of all, and mostly tells enough
            quantum = self._common_quantum(grid, quantum_of(self._largest.astype(np.float32)))
            if is_representable(magnitude, quantum):
                quantum = self._common_quantum(grid, self._quantum_of(self._weights))
        return quantum if is_representable(magnitude, quantum) else 0.0

    def _quantum_of(self, weights: Array) -> float:
        if self._quantum is None:
            self._quantum = quantum_of(weights)
            self._release()
        return self._quantum

    def _release(self) -> None:
        filters = self._operator.inputs[self._filter]
        if filters is not None:
            filters.release()

    def _common_quantum(self, grid: float, weights: float) -> float:
        """What all products and the bias are multiples of, if inputs and weights are multiples of these; 0 if not."""
        if not grid:
            return 0.0
        quantum = grid * weights
        if self._sums is not None:  # half the distance of two values, and of the middles of pairs of them
            quantum = min(grid, self._sums.quantum) * weights / (1 if self._sums.is_plain else 4)
        return quantum if self._offset is None else min(quantum, quantum_of(self._offset))

    def _spread(self, data: Bounded, filters: Bounded) -> Bounds:
        """Errors of the data after the sum: the square root of the sum of their squares."""
        largest = float(data.noise.max(initial=0))
        if not 0 < largest < np.inf:
            return np.asarray(largest)
        return np.sqrt(self._sum("squared", (data.noise / largest) ** 2, data, filters)) * largest

    def _of_filter(self, data: Bounded, filters: Bounded) -> Bounds:
        """Errors of a computed filter after the sum."""
        shapes = self._ordered(data.values.shape, filters.values.shape)
        (found,) = self._replay("filter", {})(self._ordered(np.abs(data.values), filters.margin), shapes)
        return found

    def _sum(self, kind: str, values: Array, data: Bounded, filters: Bounded) -> Bounds:
        """The operator's sum of numbers that are not negative, weighted by the filter's absolute values or squares."""
        weights = filters.values if self._weights is None else self._weights
        changed = np.abs(weights) if kind == "absolute" else np.square(weights)
        if self._weights is None:
            shapes = self._ordered(data.values.shape, filters.values.shape)
            (found,) = self._replay("computed", {})(self._ordered(values, changed), shapes)
        else:
            (found,) = self._replay(kind, {self._filter: changed})([values], [data.values.shape])
        return found

    def _ordered(self, data: _Any, filters: _Any) -> list[_Any]:
        return [data, filters] if self._data < self._filter else [filters, data]

    def _replay(self, kind: str, constants: Mapping[int, Array]) -> Replay:
        """The operator without its bias, which some kernels need to be there, and without operators that size it."""
        if kind not in self._replays:
            if self._data == 2:  # a transposed one: the first input is the shape of its output
                constants = {0: np.array(self._output_shape, np.int32), **constants}
            bias = self._operator.inputs[self._bias] if self._bias < len(self._operator.inputs) else None
            without = {} if bias is None else {self._bias: np.zeros(bias.shape, np.float32)}
            self._replays[kind] = Replay(self._operator, {**constants, **without})
        return self._replays[kind]


def matmul(operator: Operator, inputs: Sequence[Bounded], values: Array) -> Bounded:
    """The bound of a BATCH_MATMUL."""
    one, other = inputs
    adjoint = operator.options.adjX, operator.options.adjY

    def product(first: Array, second: Array) -> Bounds:
        pair = (np.asarray(each, np.float64) for each in (first, second))
        left, right = (np.swapaxes(each, -1, -2) if turn else each for each, turn in zip(pair, adjoint, strict=True))
        return np.asarray(np.matmul(left, right))

    sizes = np.abs(one.values), np.abs(other.values)
    margins = [np.broadcast_to(each.margin, each.values.shape) for each in (one, other)]
    terms = one.values.shape[-2 if adjoint[0] else -1]
    magnitude = product(*sizes)
    jump = NOTHING
    if any(each.jump.any() for each in (one, other)):
        jump = product(margins[0], sizes[1] + margins[1]) + product(sizes[0], margins[1])
    quantum = one.grid() * other.grid()
    if is_representable(float(magnitude.max(initial=0)), quantum):
        return Bounded(values, NOTHING, jump, None, quantum)
    noise = ROUNDING * roundings(terms) * magnitude
    for first, second in ((margins[0], sizes[1]), (sizes[0], margins[1])):
        if jump is NOTHING and first.any() and second.any():
            noise = noise + np.sqrt(product(first**2, second**2))
    return Bounded(values, noise, jump)
