"""Operators that move numbers, choose among them, or take their mean: their own kernels move the bounds along."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Operator
from mobile_bnn.converters.verification.error_bounds.bound import (
    NOTHING,
    ROUNDING,
    Bounded,
    Bounds,
    is_representable,
)
from mobile_bnn.converters.verification.error_bounds.linear import roundings
from mobile_bnn.converters.verification.error_bounds.replay import Replay
from mobile_bnn.typing import Array

MOVING = frozenset(
    {"BATCH_TO_SPACE_ND", "BROADCAST_TO", "CONCATENATION", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "GATHER_ND"}
    | {"MAX_POOL_2D", "MIRROR_PAD", "PACK", "PAD", "PADV2", "RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2"}
    | {"SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TILE"}
    | {"TRANSPOSE", "UNPACK", "REDUCE_MAX", "DYNAMIC_UPDATE_SLICE", "REVERSE_SEQUENCE"}
)
MEANS = frozenset({"AVERAGE_POOL_2D", "MEAN", "RESIZE_BILINEAR", "SUM"})


class Movement:
    """An operator that moves numbers, or takes their mean.

    Args:
        operator: of the graph, one of MOVING or MEANS.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        # What padding puts in is exact, and its terms are as large as it.
        padding = {2: np.zeros((), np.float32)} if operator.op_type == "PADV2" else None
        joined = operator.op_type in ("CONCATENATION", "PACK")
        constants = [n for n, t in enumerate(operator.inputs) if t is not None and t.content is not None]
        if joined and constants:
            padding = {n: np.zeros(operator.input(n).shape, operator.input(n).dtype) for n in constants}
        self._computed = [n for n, t in enumerate(operator.inputs) if t is not None and t.content is None]
        self._replay = Replay(operator, padding)

    def __call__(self, inputs: Sequence[Bounded | None], values: Sequence[Array]) -> list[Bounded]:
        """The bounds of its results.

        Args:
            inputs: of the operator, None where one was left out.
            values: of the results.
        """
        given = [each for number in self._computed if (each := inputs[number]) is not None]
        if self._operator.op_type in MEANS:
            return [self._mean(given[0], given[1:], values[0])]
        noise, jump = self._moved(given, "noise"), self._moved(given, "jump")
        fused: list[Bounds | None] = [None] * len(values)
        if all(each.magnitude is not None for each in given):
            fused = list(self._moved(given, "magnitude"))
        constants = [each.grid() for n, each in enumerate(inputs) if each is not None and n not in self._computed]
        quantum = min([*(each.grid() for each in given), *(constants if self._pads() else ())])
        return [Bounded(*each, quantum) for each in zip(values, noise, jump, fused, strict=True)]

    def _pads(self) -> bool:
        return self._operator.op_type in ("PADV2", "CONCATENATION", "PACK")

    def _moved(self, given: Sequence[Bounded], part: str) -> list[Bounds]:
        """One part of the bounds of all inputs, moved as the values were."""
        parts = [getattr(each, part) for each in given if np.issubdtype(each.values.dtype, np.floating)]
        parts = parts or [getattr(given[0], part)]
        if part != "magnitude" and not any(each.any() for each in parts):
            return [NOTHING] * len(self._operator.outputs)
        # Places in a table and sizes stay what they are.
        own = [
            getattr(each, part) if number == 0 or np.issubdtype(each.values.dtype, np.floating) else each.values
            for number, each in enumerate(given)
        ]
        return self._replay(own)

    def _mean(self, x: Bounded, others: Sequence[Bounded], values: Array) -> Bounded:
        rest = [each.values for each in others]
        jump = self._replay([x.jump, *rest])[0] if x.jump.any() else NOTHING
        magnitude = self._replay([x.terms(), *rest])[0]
        terms = self._window(x.values.size, values.size)
        if is_representable(float(magnitude.max(initial=0)), quantum := self._quantum(x.grid(), terms)):
            return Bounded(values, NOTHING, jump, None, quantum)
        noise = self._replay([x.noise, *rest])[0] if not x.is_exact else NOTHING
        return Bounded(values, noise + ROUNDING * roundings(terms) * magnitude, jump)

    def _window(self, before: int, after: int) -> int:
        """How many numbers one result is made of."""
        if self._operator.op_type == "AVERAGE_POOL_2D":
            return int(self._operator.options.filterHeight * self._operator.options.filterWidth)
        return 4 if self._operator.op_type == "RESIZE_BILINEAR" else max(1, before // max(1, after))

    def _quantum(self, grid: float, terms: int) -> float:
        """What the results are multiples of: a mean of 2^k numbers is exact if their sum is."""
        if self._operator.op_type == "SUM":
            return grid
        # A pool with padding counts fewer numbers at the border.
        uneven = self._operator.op_type == "AVERAGE_POOL_2D" and self._operator.options.padding != schema.Padding.VALID
        is_power = terms & (terms - 1) == 0
        return grid / terms if is_power and not uneven and self._operator.op_type != "RESIZE_BILINEAR" else 0.0
