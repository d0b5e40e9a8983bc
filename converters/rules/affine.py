"""Per-channel affine maps, and binary convolutions as such maps of their sums.

Kernels compute (bias + multiplier * terms) - 2 * multiplier * accumulator: exact for whole numbers, else rounded to a
share of multiplier * terms. Results that an activation has clamped to 6 or 1 are too small for that.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.bconv import ACTIVATIONS, KIND_OF, replaced
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


def set_affine(graph: Graph, bconv: Operator, output: Tensor, multiplier: Array, bias: Array) -> None:
    """Gives an LceBconv2d another output, multiplier and bias, each float64 [O] or [1]."""
    parameters = [
        Tensor.constant(name, np.broadcast_to(values, bconv.output.shape[-1:]).astype(np.float32))
        for name, values in (("multiplier", multiplier), ("bias", bias))
    ]
    replaced(graph, bconv, output, [bconv.inputs[1], *parameters, None])
