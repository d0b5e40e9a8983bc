"""Where a function of one tensor may jump, if step functions of that tensor are all that it is computed from.

A quantizer times a mask, or one chosen by another, need not be monotone operator by operator. But everything that it
is computed from, such as ROUND of a clip or a comparison, is a monotone step function, whose jumps are found exactly
(steps.py). Between two neighbours of all these jumps nothing changes: one evaluation there is the value, whatever the
operators after them are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ELEMENTWISE, ElementwiseSubgraph
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

# Their results stay the same between jumps, whatever they read.
_JUMPING = frozenset(
    {"ROUND", "FLOOR", "CEIL", "FLOOR_DIV", "SIGN", "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS"}
    | {"LESS_EQUAL"}
)
_ROUNDING = frozenset({"ROUND", "FLOOR", "CEIL", "FLOOR_DIV", "SIGN"})
_PASSING = frozenset({"RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "PAD", "PADV2"})
_MOST_JUMPS = 64
_LARGEST = np.finfo(np.float32).max

# Thresholds float32 [jumps, channels], rising, infinite after a channel's own.
Jumps = Callable[[ElementwiseSubgraph], Array]


@dataclass(frozen=True)
class Pieces:
    """A function that is constant between jumps.

    Attributes:
        jumps: float32 [n, channels], rising, infinite where a channel has fewer.
        values: float32 [n + 1, channels], before the first of them and from each on.
    """

    jumps: Array
    values: Array


def jumps(operator: Operator) -> bool:
    """Whether an operator's result changes in jumps only."""
    if operator.op_type == "CAST":  # to whole numbers, from others
        return operator.output.dtype in (np.int32, np.int64) and operator.input(0).dtype == np.float32
    return operator.op_type in _JUMPING


def changes_in_jumps(operators: Callable[[Tensor], Operator | None], tensor: Tensor) -> bool:
    """Whether every way from a tensor upwards comes through an operator that jumps, or ends in a constant.

    Args:
        operators: gives the element-wise operator that computes a tensor; None if there is none.
        tensor: where to begin.
    """
    left, seen = [tensor], set[Tensor]()
    while left:
        last = left.pop()
        if last in seen or last.content is not None:
            continue
        seen.add(last)
        operator = operators(last)
        if operator is None:
            return False
        if not jumps(operator):
            left += [each for each in operator.inputs if each is not None]
    return True


def pieces(subgraph: ElementwiseSubgraph, jumps_of: Jumps) -> Pieces:
    """The pieces of a function.

    Args:
        subgraph: computes it.
        jumps_of: finds those of a monotone step function, or raises NoMatch.

    Raises:
        NoMatch: it is computed from something else than step functions, jumps too often, or is not finite somewhere.
    """
    producers = {operator.output: operator for operator in subgraph.operators}
    if not changes_in_jumps(producers.get, subgraph.output):
        raise NoMatch(RefusalCode.NOT_A_STEP, "it does not change in jumps only")
    found = [jumps_of(part) for part in _parts(subgraph, producers, jumps_of)]
    every = np.sort(np.concatenate([np.zeros((0, subgraph.channels), np.float32), *found]), axis=0)
    if len(every) > _MOST_JUMPS:
        raise NoMatch(RefusalCode.TOO_MANY_VALUES, f"it jumps more than {_MOST_JUMPS} times")
    at = np.concatenate([np.full((1, subgraph.channels), -_LARGEST), every]).astype(np.float32)
    values = subgraph.evaluator()(np.minimum(at, _LARGEST))
    if not (np.abs(values) < _LARGEST).all():  # to which some kernels clamp what is infinite
        raise NoMatch(RefusalCode.NOT_A_STEP, "it is not a number somewhere")
    return Pieces(every, values)


def _parts(
    subgraph: ElementwiseSubgraph, producers: dict[Tensor, Operator], jumps_of: Jumps
) -> list[ElementwiseSubgraph]:
    """The largest parts that are monotone step functions of the source, and determine the output."""
    left, found = [subgraph.output], dict[Tensor, ElementwiseSubgraph]()
    seen = set[Tensor]()
    while left:
        tensor = left.pop()
        if tensor.content is not None or tensor in seen:
            continue
        seen.add(tensor)
        if tensor is subgraph.source:
            raise NoMatch(RefusalCode.NOT_A_STEP, "it does not change in jumps only")
        part = subgraph.part(tensor)
        try:
            jumps_of(part)
        except NoMatch as reason:
            if reason.code is RefusalCode.TOO_MANY_VALUES and jumps(producers[tensor]):
                raise
            left += [each for each in producers[tensor].inputs if each is not None]
        else:
            found[tensor] = part
    return list(found.values())


def seems_quantized(graph: Graph, tensor: Tensor) -> bool:
    """Whether somebody wanted a tensor to take few values: a rounding stands before it, element by element.

    Comparisons are no sign of that: ReLUs and masks have them, too.
    """
    left, seen = [tensor], set[Tensor]()
    while left:
        last = left.pop()
        operator = graph.producer(last)
        if operator is None or last in seen:
            continue
        seen.add(last)
        if operator.op_type in ELEMENTWISE:
            if operator.op_type in _ROUNDING or (operator.op_type == "CAST" and jumps(operator)):
                return True
            left += [each for each in operator.inputs if each is not None]
        elif operator.op_type in _PASSING:
            left.append(operator.input(0))
    return False
