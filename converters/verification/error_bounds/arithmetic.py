"""Operators that work on each element and are smooth, or rise no faster than a line.

What the converter may fuse, per-channel affine maps after a sum, is rounded in units of the terms: (a + b) * c as
a * c + b * c. Constants that it folds are rounded once more.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mobile_bnn.converters.verification.error_bounds.bound import (
    NOTHING,
    ROUNDING,
    TINY,
    Bounded,
    Bounds,
    is_representable,
)
from mobile_bnn.typing import Array

_KERNEL = 8.0  # roundings of a kernel that approximates a function
# The steepest slope of functions that are not monotone.
_SLOPES = {"HARD_SWISH": 1.5, "GELU": 1.13, "SIN": 1.0, "COS": 1.0}
_MONOTONE: dict[str, Callable[[Bounds], Bounds]] = {
    "TANH": np.tanh,
    "LOGISTIC": lambda x: 1 / (1 + np.exp(-x)),
    "EXP": np.exp,
    "LOG": np.log,
    "SQRT": np.sqrt,
    "RSQRT": lambda x: 1 / np.sqrt(x),
    "ELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}
_CLAMPS = {"RELU": (0, np.inf), "RELU6": (0, 6), "RELU_0_TO_1": (0, 1), "RELU_N1_TO_1": (-1, 1)}
ARITHMETIC = frozenset(
    {"ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "PRELU", "SQUARE", "SQUARED_DIFFERENCE", "ADD_N"}
    | {"NEG", "ABS"}
    | set(_CLAMPS)
    | set(_SLOPES)
    | set(_MONOTONE)
)


def arithmetic(op_type: str, inputs: Sequence[Bounded], constants: Sequence[bool], values: Array) -> Bounded:
    """The bound of an element-wise operator's result.

    Args:
        op_type: one of ARITHMETIC.
        inputs: of the operator.
        constants: for each of them, whether it is one, so that it may be folded into others.
        values: of the result.
    """
    if op_type in ("ADD", "SUB", "ADD_N"):
        return _sum(inputs, constants, values)
    if op_type == "MUL":
        return _product(inputs, constants, values)
    if op_type == "DIV":
        return _quotient(inputs, constants, values)
    if op_type in ("SQUARE", "SQUARED_DIFFERENCE"):
        base = inputs[0] if op_type == "SQUARE" else _sum(inputs, constants, inputs[0].values - inputs[1].values)
        return _product([base, base], [False, False], values)
    if op_type in ("MAXIMUM", "MINIMUM"):
        noise, jump = (np.maximum(one, other) for one, other in zip(*map(_parts, inputs), strict=True))
        return Bounded(values, noise, jump, None, min(each.grid() for each in inputs))
    (x, *_) = inputs
    if op_type in ("NEG", "ABS"):
        return Bounded(values, x.noise, x.jump, x.magnitude, x.grid())
    if op_type in _CLAMPS:
        return _clamped(x, values, *_CLAMPS[op_type])
    if op_type == "PRELU":
        return _sloped(x, inputs[1], values)
    return _smooth(op_type, x, values)


def _parts(each: Bounded) -> tuple[Bounds, Bounds]:
    return each.noise, each.jump


def _is_fused(inputs: Sequence[Bounded], constants: Sequence[bool]) -> bool:
    """Whether an evaluation may round the terms of the inputs instead of the result."""
    computed = [each for each, constant in zip(inputs, constants, strict=True) if not constant]
    return bool(computed) and all(each.magnitude is not None for each in computed)


def _sum(inputs: Sequence[Bounded], constants: Sequence[bool], values: Array) -> Bounded:
    magnitude = np.asarray(sum(each.terms() for each in inputs))
    jump = np.asarray(sum(each.jump for each in inputs))
    fused = magnitude if _is_fused(inputs, constants) else None
    quantum = min(each.grid() for each in inputs)
    if is_representable(float(magnitude.max(initial=0)), quantum):
        return Bounded(values, NOTHING, jump, fused, quantum)
    noise = np.asarray(sum(each.noise for each in inputs)) + ROUNDING * magnitude
    for each, constant in zip(inputs, constants, strict=True):
        if constant:
            noise = noise + ROUNDING * each.terms()
    return Bounded(values, noise, jump, fused)


def _product(inputs: Sequence[Bounded], constants: Sequence[bool], values: Array) -> Bounded:
    one, other = inputs
    magnitude = one.terms() * other.terms()
    jump = NOTHING
    if one.jump.any() or other.jump.any():
        first, second = (np.abs(each.values.astype(np.float64)) for each in inputs)
        jump = one.margin * second + first * other.margin + one.margin * other.margin
    fused = magnitude if _is_fused(inputs, constants) and any(constants) else None
    quantum = one.grid() * other.grid()
    if is_representable(float(magnitude.max(initial=0)), quantum):
        return Bounded(values, NOTHING, jump, fused, quantum)
    first, second = (np.abs(each.values.astype(np.float64)) for each in inputs)
    noise = one.noise * second + first * other.noise + one.noise * other.noise
    return Bounded(values, noise + ROUNDING * (1 + any(constants)) * magnitude, jump, fused)


def _quotient(inputs: Sequence[Bounded], constants: Sequence[bool], values: Array) -> Bounded:
    one, other = inputs
    divisor = np.abs(other.values.astype(np.float64))
    powers = bool((np.frexp(divisor)[0] == 0.5).all())
    if constants[1] and powers and np.isfinite(divisor).all():
        inverse = Bounded(1 / divisor)
        return _product([one, inverse], constants, values)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.maximum(divisor - other.margin, 0)
        size = np.abs(values.astype(np.float64))
        noise = (one.noise + size * other.noise) / least + 3 * ROUNDING * one.terms() / divisor
        jump = (one.jump + size * other.jump) / least
        fused = one.terms() / divisor if constants[1] and one.magnitude is not None else None
    return Bounded(values, np.nan_to_num(noise, nan=np.inf), np.nan_to_num(jump, nan=np.inf), fused)


def _clamped(x: Bounded, values: Array, low: float, high: float) -> Bounded:
    """Whatever moves a number beyond the limits moves nothing: in a deep network that is half of all."""
    if not x.margin.any():
        return Bounded(values, x.noise, x.jump, x.magnitude, x.grid())
    at, middle = x.values.astype(np.float64), np.clip(x.values, low, high)
    ends = (np.abs(np.clip(at + by, low, high) - middle) for by in (x.margin, -x.margin))
    moved = np.maximum(*ends)
    if x.is_exact:
        return Bounded(values, NOTHING, moved, x.magnitude, x.grid())
    noise = np.minimum(moved, x.noise)
    return Bounded(values, noise, moved - noise if x.jump.any() else NOTHING, x.magnitude)


def _sloped(x: Bounded, slope: Bounded, values: Array) -> Bounded:
    """Of a PRELU: x where it is not negative, else slope * x."""
    steepest = np.maximum(1, np.abs(slope.values.astype(np.float64)))
    quantum = x.grid() * min(1.0, slope.grid())
    jump = steepest * x.jump
    if is_representable(float(np.max(steepest * x.terms(), initial=0)), quantum):
        return Bounded(values, NOTHING, jump, None, quantum)
    return Bounded(values, steepest * x.noise + 2 * ROUNDING * np.abs(values), jump)


def _smooth(op_type: str, x: Bounded, values: Array) -> Bounded:
    at = x.values.astype(np.float64)
    rounded = _KERNEL * ROUNDING * np.maximum(np.abs(values), 0 if op_type in _MONOTONE else np.abs(at))
    if op_type in _SLOPES:
        return Bounded(values, _SLOPES[op_type] * x.noise + rounded, _SLOPES[op_type] * x.jump)
    function = _MONOTONE[op_type]
    with np.errstate(all="ignore"):
        middle = function(at)
        noise, jump = (
            np.asarray(np.maximum(np.abs(function(at + by) - middle), np.abs(function(at - by) - middle)))
            if by.any()
            else NOTHING
            for by in (x.noise, x.jump)
        )
    return Bounded(values, np.nan_to_num(noise, nan=np.inf) + rounded, np.nan_to_num(jump, nan=np.inf))


def softmax(x: Bounded, values: Array, beta: float) -> Bounded:
    """The bound of a SOFTMAX over the last axis: exp(d) where the argument moves by d, up and down."""
    with np.errstate(over="ignore", invalid="ignore"):
        noise, jump = (
            np.asarray(values * np.expm1(2 * beta * np.broadcast_to(by, values.shape).max(-1, keepdims=True)))
            if by.any()
            else NOTHING
            for by in (x.noise, x.jump)
        )
    rounded = (2 * _KERNEL + values.shape[-1] ** 0.5) * ROUNDING
    spread = ROUNDING * beta * np.abs(x.values).max(-1, keepdims=True)
    noise = np.nan_to_num(noise, nan=1.0) + (rounded + 2 * spread) * values + TINY
    # Probabilities: none can be farther off than 1.
    return Bounded(values, np.minimum(noise, 1), np.minimum(np.nan_to_num(jump, nan=1.0), 1))
