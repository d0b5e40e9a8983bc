"""Per-channel affine maps behind a binary convolution become its multiplier and bias.

    factor * (multiplier * sum + bias) + summand = (factor * multiplier) * sum + (factor * bias + summand)

MUL, ADD, SUB and DIV with a constant are such maps if the constant has one element or one per channel. A whole row of
them is folded in float64 and rounded once. An activation that the last one has fused becomes an operator of its own.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.rules.affine import activation_of, affine, fits, is_clamped, put_line
from mobile_bnn.converters.rules.bconv import KIND_OF, line, only_reader
from mobile_bnn.typing import Array

KINDS = frozenset({"LceBconv2d"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Folds the affine maps behind an LceBconv2d into it.

    Returns:
        None if there were any, else why not.
    """
    parameters = line(operator)
    if parameters is None:
        return "it writes no floats"
    if is_clamped(operator):
        return "its clamped sums are small beside the terms that a multiplier would be rounded with"
    multiplier, bias = parameters
    folded = list[Operator]()
    tensor, activation = operator.output, 0
    while not activation:
        reader = only_reader(graph, tensor)
        found = reader if isinstance(reader, str) else affine(reader, tensor)
        if isinstance(found, str) or isinstance(reader, str):
            reason = str(found)
            break
        factor, summand = found
        if not fits(multiplier * factor) or not fits(bias * factor + summand):
            reason = f"the result of {reader.kind} behind it would overflow float32"
            break
        multiplier, bias = multiplier * factor, bias * factor + summand
        folded.append(reader)
        tensor, activation = reader.output, activation_of(reader)
    if not folded:
        return reason
    _rewrite(graph, operator, folded, multiplier, bias)
    return None


def _rewrite(graph: Graph, bconv: Operator, folded: list[Operator], multiplier: Array, bias: Array) -> None:
    last = folded[-1]
    output = last.output
    activation = activation_of(last)
    if activation:
        output = Tensor.of(bconv.output.name, bconv.output.shape, np.float32)
        graph.insert_before(last, Operator.builtin(KIND_OF[activation], [output], [last.output]))
    for operator in folded:
        graph.operators.remove(operator)
    put_line(graph, bconv, output, multiplier, bias)
