"""Steps of a function that is monotone between the places where ABS, SQUARE, SIGN and comparisons turn.

sign(x) * floor(|x| + 0.5) is not monotone operator by operator, though it is as a whole. But ABS turns only where its
argument changes its sign, and SIGN and comparisons jump only there: on an interval between two such places they rise,
fall or stay, and so does what is computed from them. A product of two tensors of known signs, for one, rises with both
of them, for rounding is monotone. The ends of the intervals are found exactly (bisection.py), and within each of them
the steps of the whole function are.
"""

from collections.abc import Mapping

import numpy as np

from mobile_bnn.converters.graph.fold_constants import evaluate
from mobile_bnn.converters.graph.model import Operator, Tensor
from mobile_bnn.converters.quantizers.bisection import (
    LARGEST_RANK,
    Function,
    floats_of,
    ranks_of,
    steps_between,
)
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph
from mobile_bnn.converters.quantizers.monotonicity import RULES, Monotonicity, all_together, direction_of
from mobile_bnn.converters.quantizers.pieces import Pieces, changes_in_jumps
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

_COMPARING = frozenset({"EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"})
_JUMPING = _COMPARING | {"SIGN"}
_EVEN = frozenset({"ABS", "SQUARE"})
_KNOWN = frozenset(RULES) | _JUMPING | _EVEN | {"SELECT", "SELECT_V2"}
_MOST_INTERVALS = 32
_LARGEST = np.finfo(np.float32).max

_Values = Mapping[Tensor, Array]


def pieces_by_intervals(subgraph: ElementwiseSubgraph) -> Pieces:
    """The pieces of a function.

    Raises:
        NoMatch: it is not monotone on each interval, or not known to be, or it takes too many values.
    """
    turning = [operator for operator in subgraph.operators if operator.op_type in _JUMPING | _EVEN]
    if not turning or any(operator.op_type not in _KNOWN for operator in subgraph.operators):
        raise _unknown()
    starts = np.full((1, subgraph.channels), -LARGEST_RANK, np.int64)
    for operator in turning:
        starts = _split(subgraph, operator, starts)
    for known in _directions(subgraph, subgraph.operators, starts):
        if known[subgraph.output] is None:
            raise _unknown()
    function = subgraph.evaluator()
    try:
        within = [steps_between(function, *ends)[0] for ends in zip(starts, _ends(starts), strict=True)]
    except NoMatch:
        producers = {operator.output: operator for operator in subgraph.operators}
        if changes_in_jumps(producers.get, subgraph.output):
            raise
        raise _unknown() from None  # no step function of too many values: it is none
    # Where a channel has fewer intervals than others, the further ones are of infinity.
    every = np.sort(np.concatenate([_numbers(starts[1:]), *within]), axis=0)
    at = np.concatenate([np.full((1, subgraph.channels), -_LARGEST), every]).astype(np.float32)
    return Pieces(every, function(np.minimum(at, _LARGEST)))


def _unknown() -> NoMatch:
    return NoMatch(RefusalCode.NOT_A_STEP, "it is not known to be monotone")


def _numbers(ranks: Array) -> Array:
    return np.where(ranks > LARGEST_RANK, np.float32(np.inf), floats_of(np.minimum(ranks, LARGEST_RANK)))


def _ends(starts: Array) -> Array:
    """The last rank of each interval; where one is empty, its first."""
    after = np.concatenate([starts[1:] - 1, np.full_like(starts[:1], LARGEST_RANK)])
    return np.minimum(np.maximum(after, starts), LARGEST_RANK)


def _split(subgraph: ElementwiseSubgraph, operator: Operator, starts: Array) -> Array:
    """The intervals on which an operator does not turn either, by their first ranks [intervals, channels]."""
    before = subgraph.operators[: subgraph.operators.index(operator)]
    for known in _directions(subgraph, before, starts):
        inputs = [direction_of(tensor, known, subgraph.channels) for tensor in operator.inputs]
        against = RULES["SUB"](operator, inputs) if operator.op_type in _COMPARING else inputs[0]
        if against is None:
            raise _unknown()
    function = _sense(subgraph, operator)
    found = [starts]
    for first, last in zip(np.minimum(starts, LARGEST_RANK), _ends(starts), strict=True):
        thresholds, _ = steps_between(function, first, last)  # at most two: before 0, 0 and after it
        found.append(ranks_of(thresholds))
    every = np.sort(np.concatenate(found), axis=0)
    # A place that is there twice, and infinity, go last.
    every[1:][every[1:] == every[:-1]] = LARGEST_RANK + 1
    every = np.sort(every, axis=0)
    every = np.asarray(every[(every <= LARGEST_RANK).any(1)])
    if len(every) > _MOST_INTERVALS:
        raise _unknown()
    return every


def _sense(subgraph: ElementwiseSubgraph, operator: Operator) -> Function:
    """The sign of what an operator turns at: of its argument, or of the difference of what it compares."""
    if operator.op_type not in _COMPARING:
        argument = _function(subgraph, operator.input(0))
        return lambda x: np.sign(argument(x))
    left, right = (_function(subgraph, operator.input(number)) for number in (0, 1))

    def compared(x: Array) -> Array:
        one, other = left(x), right(x)
        return (one > other).astype(np.float32) - (one < other)

    return compared


def _function(subgraph: ElementwiseSubgraph, tensor: Tensor) -> Function:
    if tensor is subgraph.source:
        return lambda x: x
    if tensor.values is not None:
        constant = tensor.values.reshape(-1)
        return lambda x: np.broadcast_to(constant, x.shape)
    return subgraph.part(tensor).evaluator()


def _directions(
    subgraph: ElementwiseSubgraph, operators: list[Operator], starts: Array
) -> "list[dict[Tensor, Monotonicity]]":
    """What the results of operators do on each interval, none of which they turn in."""
    first, last = np.minimum(starts, LARGEST_RANK), _ends(starts)
    values = _values(subgraph, operators, floats_of(np.concatenate([first, last])))
    found = []
    for number in range(len(starts)):
        ends = {tensor: each[[number, number + len(starts)]] for tensor, each in values.items()}
        known: dict[Tensor, Monotonicity] = {subgraph.source: np.ones(subgraph.channels, np.int8)}
        for operator in operators:
            inputs = [direction_of(tensor, known, subgraph.channels) for tensor in operator.inputs]
            known[operator.output] = _direction(operator, inputs, ends, subgraph.channels)
        found.append(known)
    return found


def _values(subgraph: ElementwiseSubgraph, operators: list[Operator], x: Array) -> _Values:
    """Of every tensor, [samples, channels], also of constants."""
    samples, channels = x.shape
    shape = (samples, *(1,) * (len(subgraph.source.shape) - 2), channels)
    known = {subgraph.source: x}
    for operator in operators:
        inputs = []
        for tensor in operator.inputs:
            if tensor is None or tensor.values is None:
                inputs.append(None if tensor is None else Tensor.constant(tensor.name, known[tensor].reshape(shape)))
            else:
                inputs.append(tensor)
                known[tensor] = np.broadcast_to(tensor.values.reshape(-1), x.shape)
        (result,) = evaluate(operator.between(inputs, operator.outputs))
        known[operator.output] = np.broadcast_to(result.reshape(-1, result.shape[-1]), x.shape)
    return known


def _direction(operator: Operator, inputs: list[Monotonicity], ends: _Values, channels: int) -> Monotonicity:
    """What an operator's result does on an interval, of whose ends the values of all tensors are known."""
    if operator.op_type in _JUMPING:
        return np.zeros(channels, np.int8)
    if operator.op_type in _EVEN:
        sense = np.sign(ends[operator.input(0)][0]).astype(np.int8)
        return None if inputs[0] is None else inputs[0] * sense
    if operator.op_type in ("SELECT", "SELECT_V2"):
        return _choice(operator, inputs, ends)
    if operator.op_type == "MUL":
        return _product(operator, inputs, ends)
    if operator.op_type in ("DIV", "FLOOR_DIV"):
        return _quotient(operator, inputs, ends)
    return RULES[operator.op_type](operator, inputs)


def _choice(operator: Operator, inputs: list[Monotonicity], ends: _Values) -> Monotonicity:
    condition, first, second = inputs
    if condition is None or condition.any() or first is None or second is None:
        return None
    return np.where(ends[operator.input(0)][0], first, second)


def _product(operator: Operator, inputs: list[Monotonicity], ends: _Values) -> Monotonicity:
    left, right = (ends[operator.input(number)].astype(np.float32) for number in (0, 1))
    with np.errstate(all="ignore"):
        if np.isnan(left[:, None] * right).any():  # infinity times 0
            return None
    parts = [_with_factor(inputs[0], right), _with_factor(inputs[1], left)]
    return all_together(parts)


def _with_factor(direction: Monotonicity, factor: Array) -> Monotonicity:
    """What becomes of a direction by a factor of these values at both ends; None where the factor changes its sign."""
    if direction is None or (direction * (np.sign(factor[0]) * np.sign(factor[1]) < 0)).any():
        return None
    return np.asarray(direction * np.sign(np.sign(factor[0]) + np.sign(factor[1])), np.int8)


def _quotient(operator: Operator, inputs: list[Monotonicity], ends: _Values) -> Monotonicity:
    divisor = ends[operator.input(1)]
    if inputs[0] is None or inputs[1] is None or inputs[1].any() or not (np.isfinite(divisor) & (divisor != 0)).all():
        return None
    return np.asarray(inputs[0] * np.sign(divisor[0]), np.int8)
