"""Step functions: nothing is rounded after them, but whose argument is within its bound of a step may jump."""

from collections.abc import Callable, Sequence

import numpy as np

from mobile_bnn.converters.verification.error_bounds.bound import NOTHING, TINY, Bounded, Bounds
from mobile_bnn.typing import Array

_UNARY: dict[str, np.ufunc] = {
    "SIGN": np.sign,
    "ROUND": np.rint,
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "CAST": np.trunc,
}
_COMPARE: dict[str, Callable[[Bounds, float], Array]] = {
    "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal,
    "LESS": np.less,
    "LESS_EQUAL": np.less_equal,
    "EQUAL": np.equal,
    "NOT_EQUAL": np.not_equal,
}
_LOGICAL = {"LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT"}
STEPS = frozenset({*_UNARY, *_COMPARE, *_LOGICAL, "SELECT", "SELECT_V2"})


def step(op_type: str, inputs: Sequence[Bounded], values: Array) -> Bounded:
    """The bound of a step function's result.

    Args:
        op_type: one of STEPS.
        inputs: of the operator.
        values: of the result.
    """
    if op_type in ("SELECT", "SELECT_V2"):
        return _choice(inputs, values)
    if op_type in _LOGICAL:
        return Bounded(values, NOTHING, np.asarray(np.max([np.broadcast_to(i.jump, values.shape) for i in inputs], 0)))
    if op_type in _COMPARE:
        return Bounded(values, NOTHING, _comparison(op_type, *inputs))
    (x,) = inputs
    # Between bools and floats, or to a wider type, nothing is cut off.
    if op_type == "CAST" and (np.issubdtype(values.dtype, np.floating) or x.values.dtype == np.bool_):
        return Bounded(values, x.noise, x.jump, x.magnitude, x.quantum)
    margin = _margin(x)
    if not margin.any():
        return Bounded(values)
    function, at = _UNARY[op_type], x.values.astype(np.float64)
    above, below, middle = np.asarray(at + margin), np.asarray(at - margin), function(at)
    # None of these functions falls. In place, for most of the time goes into fresh memory.
    up, down = function(above, out=above), function(below, out=below)
    up -= middle
    middle -= down
    return Bounded(values, NOTHING, np.maximum(up, middle, out=up))


def _margin(x: Bounded) -> Bounds:
    """How far the argument of a step may be off; a subnormal one may be 0."""
    if not np.issubdtype(x.values.dtype, np.floating):
        return x.margin
    subnormal = (x.values != 0) & (np.abs(x.values) < TINY)
    return x.margin + np.where(subnormal, TINY, 0) if subnormal.any() else x.margin


def _comparison(op_type: str, one: Bounded, other: Bounded) -> Bounds:
    """1 where the comparison may come out the other way."""
    margin = _margin(one) + _margin(other)
    if not margin.any():
        return NOTHING
    compare = _COMPARE[op_type]
    difference = one.values.astype(np.float64) - other.values.astype(np.float64)
    ends = compare(difference - margin, 0), compare(difference + margin, 0)
    middle = compare(difference, 0)
    if op_type in ("EQUAL", "NOT_EQUAL"):
        return np.asarray((np.abs(difference) <= margin) & (margin > 0), np.float64)
    return np.asarray((ends[0] != middle) | (ends[1] != middle), np.float64)


def _choice(inputs: Sequence[Bounded], values: Array) -> Bounded:
    condition, one, other = inputs
    chosen = condition.values
    if chosen.ndim < values.ndim and chosen.ndim == 1 and len(chosen) == len(values):  # SELECT by rows
        chosen = chosen.reshape(-1, *(1,) * (values.ndim - 1))
    noise = np.where(chosen, one.noise, other.noise) if not (one.is_exact and other.is_exact) else NOTHING
    jump = np.where(chosen, one.jump, other.jump) if one.jump.any() or other.jump.any() else NOTHING
    if condition.jump.any():
        apart = np.abs(one.values.astype(np.float64) - other.values.astype(np.float64))
        jump = np.where(condition.jump > 0, apart + one.margin + other.margin, jump)
    return Bounded(values, noise, jump)
