"""Per-channel affine maps behind a binary convolution become its multiplier and bias.

    factor * (multiplier * sum + bias) + summand = (factor * multiplier) * sum + (factor * bias + summand)

MUL, ADD, SUB and DIV with a constant are such maps if the constant has one element or one per channel. A whole row of
them is folded in float64 and rounded once. An activation that the last one has fused becomes an operator of its own.

Kernels compute (bias + multiplier * terms) - 2 * multiplier * accumulator: exact for whole numbers, else rounded to a
share of multiplier * terms. Results that an activation has clamped to 6 or 1 are too small for that.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.converters.graph import Graph, Operator, Tensor
from mobile_bnn.converters.rules.bconv import ACTIVATIONS, KIND_OF, line, only_reader, replaced

Array = npt.NDArray[Any]

KINDS = frozenset({"LceBconv2d"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Folds the affine maps behind an LceBconv2d into it.

    Returns:
        None if there were any, else why not.
    """
    parameters = line(operator)
    if parameters is None:
        return "it writes no floats"
    if operator.custom_options["fused_activation_function"] not in (0, ACTIVATIONS["RELU"]):
        return "its clamped sums are small beside the terms that a multiplier would be rounded with"
    multiplier, bias = parameters
    folded = list[Operator]()
    tensor, activation = operator.output, 0
    while not activation:
        reader = only_reader(graph, tensor)
        found = reader if isinstance(reader, str) else _affine(reader, tensor)
        if isinstance(found, str) or isinstance(reader, str):
            reason = str(found)
            break
        factor, summand = found
        if not _fits(multiplier * factor) or not _fits(bias * factor + summand):
            reason = f"the result of {reader.kind} behind it would overflow float32"
            break
        multiplier, bias = multiplier * factor, bias * factor + summand
        folded.append(reader)
        tensor, activation = reader.output, _activation(reader)
    if not folded:
        return reason
    _rewrite(graph, operator, folded, multiplier, bias)
    return None


def _affine(operator: Operator, tensor: Tensor) -> tuple[Array, Array] | str:
    """Factor and summand, each float64 [1] or [O], of an operator that reads a tensor; or why it is no affine map."""
    if operator.kind not in ("MUL", "ADD", "SUB", "DIV"):
        return f"{operator.kind} behind it is no affine map"
    if _activation(operator) not in (0, *KIND_OF):
        return f"{operator.kind} behind it has a fused activation that is no operator"
    left, right = operator.inputs
    constant = right if left is tensor else left
    values = None if constant is None else constant.values
    if values is None:
        return f"{operator.kind} behind it has no constant operand"
    if operator.output.shape != tensor.shape or values.size not in (1, *values.shape[-1:]):
        return f"the constant of {operator.kind} behind it varies within a channel"
    operand, one, none = values.reshape(-1).astype(np.float64), np.ones(1), np.zeros(1)
    if operator.kind == "MUL":
        return operand, none
    if operator.kind == "ADD":
        return one, operand
    if operator.kind == "SUB":
        return (one, -operand) if left is tensor else (-one, operand)
    if left is not tensor:
        return "DIV behind it divides by its result"
    return (1 / operand, none) if operand.all() else "DIV behind it divides by 0"


def _activation(operator: Operator) -> int:
    return int(getattr(operator.options, "fusedActivationFunction", 0))


def _fits(values: Array) -> bool:
    return bool((np.abs(values) <= np.finfo(np.float32).max).all())


def _rewrite(graph: Graph, bconv: Operator, folded: list[Operator], multiplier: Array, bias: Array) -> None:
    last = folded[-1]
    output = last.output
    activation = _activation(last)
    if activation:
        output = Tensor.of(bconv.output.name, bconv.output.shape, np.float32)
        graph.insert_before(last, Operator.builtin(KIND_OF[activation], [output], [last.output]))
    for operator in folded:
        graph.operators.remove(operator)
    parameters = [
        Tensor.constant(name, np.broadcast_to(values, bconv.output.shape[-1:]).astype(np.float32))
        for name, values in (("multiplier", multiplier), ("bias", bias))
    ]
    replaced(graph, bconv, output, [bconv.inputs[1], *parameters, None])
