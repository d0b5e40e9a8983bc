"""The threshold of a binarization: what LceQuantize must read, and the line from its signs to two values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph
from mobile_bnn.converters.quantizers.steps import StepFunction, steps_of
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array


@dataclass(frozen=True)
class Threshold:
    """The value of channel c is middle + half * s, where s = +1 if factor * x + shift >= 0, else -1.

    Attributes:
        source: x.
        middle: of the two values.
        half: of their distance, positive.
        factor: float32 [C], 1 or -1: a channel that falls at its threshold is turned around.
        shift: float32 [C]. The sum of x and a float is negative exactly if it is below that float's negative. It is
            never subnormal, because machines may take such a number for 0.
    """

    source: Tensor
    middle: float
    half: float
    factor: Array
    shift: Array

    def argument(self) -> tuple[Tensor, list[Operator]]:
        """The tensor whose signs are meant, and the operators that compute it from the source."""
        tensor, operators = self.source, list[Operator]()
        if (self.factor < 0).any():
            tensor = self._step(operators, tensor, "MUL", schema.MulOptionsT(), self.factor)
        if self.shift.any():
            tensor = self._step(operators, tensor, "ADD", schema.AddOptionsT(), self.shift)
        return tensor, operators

    def _step(self, operators: list[Operator], tensor: Tensor, op_type: str, options: Any, operand: Array) -> Tensor:
        name = f"{self.source.name}/{op_type.lower()}"
        output = Tensor.of(name, tensor.shape, np.float32)
        constant = Tensor.constant(f"{name}/operand", operand)
        operators.append(Operator.builtin(op_type, [tensor, constant], [output], options))
        return output


def threshold_of(steps: StepFunction) -> Threshold:
    """A step function as signs.

    Raises:
        NoMatch: it has more than two values, or other ones in each channel.
    """
    if steps.steps != 1:
        raise NoMatch(RefusalCode.TOO_MANY_VALUES, f"its input has {steps.steps + 1} values")
    low, high = float(steps.levels.min()), float(steps.levels.max())
    if not np.isin(steps.levels, (low, high)).all():
        raise NoMatch(RefusalCode.INPUT_CHANNELS_DIFFER, "its input has other values in each channel")
    below, above = steps.levels
    threshold = steps.thresholds[0]
    falls = above < below
    # A channel that is always high is one whose threshold every number reaches.
    threshold = np.where((above == below) & (above == high), np.float32(-np.inf), threshold)
    last_below = np.nextafter(threshold, np.float32(-np.inf), dtype=np.float32)
    shift = without_subnormals(np.where(falls, last_below, -threshold).astype(np.float32)) + np.float32(0)  # no -0.0
    factor = np.where(falls, -1, 1).astype(np.float32)
    return Threshold(steps.subgraph.source, (low + high) / 2, (high - low) / 2, factor, shift)


def sign_threshold(subgraph: ElementwiseSubgraph) -> Threshold:
    """The signs of a subgraph's output as signs of its source.

    Raises:
        NoMatch: they are not: it is not a step function, or never changes its sign.
    """
    condition = Tensor.of("not negative", subgraph.output.shape, np.bool_)
    zero = Tensor.constant("zero", np.zeros((), np.float32))
    sign = Operator.builtin("GREATER_EQUAL", [subgraph.output, zero], [condition])
    steps = steps_of(ElementwiseSubgraph(subgraph.source, condition, [*subgraph.operators, sign]))
    if steps.steps == 0:
        raise NoMatch(RefusalCode.NOT_A_STEP, "its sign never changes")
    return threshold_of(steps)


def without_subnormals(shift: Array) -> Array:
    """Shifts that give the same signs to all normal numbers and 0."""
    tiny = np.finfo(np.float32).tiny
    return np.where(np.abs(shift) < tiny, np.where(shift < 0, -tiny, np.float32(0)), shift)
