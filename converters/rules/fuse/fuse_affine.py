"""Per-channel affine maps after a binary convolution become its multiplier and bias.

    factor * (multiplier * sum + bias) + summand = (factor * multiplier) * sum + (factor * bias + summand)

MUL, ADD, SUB and DIV with a constant are such maps if the constant has one element or one per channel. A whole row of
them is folded in float64 and rounded once; one whose result a sign reads stays where that could change the sign. An
activation that the last one has fused becomes an operator of its own.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.affine import activation_of, affine, fits, is_clamped, set_affine
from mobile_bnn.converters.rules.bconv import KIND_OF, scale_and_bias
from mobile_bnn.converters.rules.strictness import check_signs, exact_sum
from mobile_bnn.typing import Array

ROOTS = frozenset({"LceBconv2d"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Folds the affine maps after an LceBconv2d into it.

    Raises:
        NoMatch: none alone reads its result, or folding it would not be exact.
    """
    multiplier, bias = scale_and_bias(root)
    if is_clamped(root):
        text = "its clamped sums are small beside the terms that a multiplier would be rounded with"
        raise NoMatch(RefusalCode.ROUNDING, text)
    folded = list[Operator]()
    tensor, activation = root.output, 0
    while not activation:
        try:
            reader, multiplier, bias = _next(graph, root, tensor, multiplier, bias)
        except NoMatch:
            if not folded:
                raise
            break
        folded.append(reader)
        tensor, activation = reader.output, activation_of(reader)
    _fold(graph, root, folded, multiplier, bias)


def _next(
    graph: Graph, bconv: Operator, tensor: Tensor, multiplier: Array, bias: Array
) -> tuple[Operator, Array, Array]:
    """The affine map that reads a tensor, and the multiplier and bias with it folded in."""
    reader = graph.only_reader(tensor)
    factor, summand = affine(reader, tensor)
    multiplier, bias, scaled = multiplier * factor, bias * factor + summand, bias * factor
    if not fits(multiplier) or not fits(bias):
        raise NoMatch(RefusalCode.OVERFLOW, f"the result of {reader.op_type} after it would overflow float32")
    if not activation_of(reader):
        check_signs(graph, reader.output, [(bconv, multiplier)], exact_sum(scaled, summand))
    return reader, multiplier, bias


def _fold(graph: Graph, bconv: Operator, folded: list[Operator], multiplier: Array, bias: Array) -> None:
    last = folded[-1]
    output = last.output
    activation = activation_of(last)
    if activation:
        output = Tensor.of(bconv.output.name, bconv.output.shape, np.float32)
        graph.insert_before(last, Operator.builtin(KIND_OF[activation], [output], [last.output]))
    graph.remove(*folded)
    set_affine(graph, bconv, output, multiplier, bias)
