"""Per-channel affine maps, and binary convolutions as such maps of their sums.

Kernels compute (bias + multiplier * terms) - 2 * multiplier * accumulator: exact for whole numbers, else rounded to a
share of multiplier * terms. Results that an activation has clamped to 6 or 1 are too small for that.
"""

from collections.abc import Sequence

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.bconv import ACTIVATIONS, KIND_OF, replaced, terms_of
from mobile_bnn.typing import Array


def affine(operator: Operator, tensor: Tensor) -> tuple[Array, Array]:
    """Factor and summand, each float64 [1] or [O], of an operator that reads a tensor.

    Raises:
        NoMatch: it is not an affine map of each channel.
    """
    op_type = operator.op_type
    if op_type not in ("MUL", "ADD", "SUB", "DIV"):
        raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{op_type} after it is not an affine map")
    if activation_of(operator) not in (0, *KIND_OF):
        text = f"{op_type} after it has a fused activation that is not an operator"
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, text)
    left, right = operator.inputs
    constant = right if left is tensor else left
    values = None if constant is None else constant.values
    if values is None:
        raise NoMatch(RefusalCode.OPERAND_NOT_CONSTANT, f"{op_type} after it has no constant operand")
    if operator.output.shape != tensor.shape or values.size not in (1, *values.shape[-1:]):
        text = f"the constant of {op_type} after it varies within a channel"
        raise NoMatch(RefusalCode.OPERAND_NOT_PER_CHANNEL, text)
    operand, one, none = values.reshape(-1).astype(np.float64), np.ones(1), np.zeros(1)
    if op_type == "MUL":
        return operand, none
    if op_type == "ADD":
        return one, operand
    if op_type == "SUB":
        return (one, -operand) if left is tensor else (-one, operand)
    if left is not tensor:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "DIV after it divides by its result")
    if not operand.all():
        raise NoMatch(RefusalCode.OVERFLOW, "DIV after it divides by 0")
    return 1 / operand, none


def activation_of(operator: Operator) -> int:
    """The number of an operator's fused activation, 0 for none."""
    return int(getattr(operator.options, "fusedActivationFunction", 0))


def fits(values: Array) -> bool:
    """Whether all values lie in float32's range."""
    return bool((np.abs(values) <= np.finfo(np.float32).max).all())


def is_clamped(bconv: Operator) -> bool:
    """Whether an activation makes the results of an LceBconv2d too small for a multiplier."""
    return bconv.custom_options["fused_activation_function"] not in (0, ACTIVATIONS["RELU"])


def dyadic_unit(parts: Array) -> Array:
    """The largest power of two that all of a channel's numbers are whole multiples of: float64 [O] of [..., O]."""
    flat = np.abs(parts.reshape(-1, parts.shape[-1]))
    mantissa, exponent = np.frexp(flat)
    whole = (mantissa * 2.0**53).astype(np.int64)
    lowest = np.where(whole == 0, np.inf, exponent - 53.0 + np.log2(np.maximum(whole & -whole, 1)))
    least = lowest.min(0)
    unit: Array = np.exp2(np.where(np.isinf(least), 0.0, least))
    return unit


def is_exact_sum(terms: Sequence[tuple[Operator, Array]], offset: Array) -> bool:
    """Whether float32 holds every step of adding scaled binary convolutions and an offset.

    It does where all of a channel's numbers are multiples of one power of two, and at most 2^23 of it come together.

    Args:
        terms: binary convolutions with multipliers, float64 [O].
        offset: float64 [..., O].
    """
    parts = np.array([np.broadcast_to(multiplier, offset.shape[-1:]) for _, multiplier in terms])
    sizes = np.array([terms_of(bconv) for bconv, _ in terms], np.float64)
    flat = offset.reshape(-1, offset.shape[-1])
    unit = dyadic_unit(np.concatenate([parts, flat]))
    largest = (np.abs(parts) * sizes[:, None]).sum(0) + np.abs(flat).max(0)
    return bool((largest <= unit * 2.0**23).all())


def set_affine(graph: Graph, bconv: Operator, output: Tensor, multiplier: Array, bias: Array) -> None:
    """Gives an LceBconv2d another output, multiplier and bias, each float64 [O] or [1]."""
    parameters = [
        Tensor.constant(name, np.broadcast_to(values, bconv.output.shape[-1:]).astype(np.float32))
        for name, values in (("multiplier", multiplier), ("bias", bias))
    ]
    replaced(graph, bconv, output, [bconv.inputs[1], *parameters, None])
