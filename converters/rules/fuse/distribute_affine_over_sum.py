"""A per-channel affine map behind a sum of binary convolutions moves into all of them.

    factor * (a + b + c) + summand = (factor * a + summand) + factor * b + factor * c

for binary convolutions a, b of a quantizer of several steps or a filter of several bases, and a constant map c.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.rules.affine import activation_of, affine, fits, is_clamped, put_line
from mobile_bnn.converters.rules.bconv import KIND_OF, line, only_reader
from mobile_bnn.converters.rules.binarize.border_map import holder
from mobile_bnn.typing import Array

KINDS = frozenset({"MUL", "ADD", "SUB", "DIV"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Moves an affine map into the LceBconv2d whose sum it reads.

    Returns:
        None if it did, else why not.
    """
    sums = [tensor for tensor in operator.inputs if tensor is not None and tensor.content is None]
    total = sums[0] if len(sums) == 1 else None
    add = None if total is None else graph.producer(total)
    if total is None or add is None or add.kind != "ADD":
        return "it reads no sum"
    found = affine(operator, total)
    if isinstance(found, str):
        return found
    terms = _terms(graph, total)
    if isinstance(terms, str):
        return terms
    factor, summand = found
    lines = []
    for number, (bconv, multiplier, bias) in enumerate(terms):
        lines.append((bconv, multiplier * factor, bias * factor + (0 if number else summand)))
    if not all(fits(values) for _, *parameters in lines for values in parameters):
        return "its result would overflow float32"
    for bconv, multiplier, bias in lines:
        put_line(graph, bconv, bconv.output, multiplier, bias)
    _scale_constants(graph, total, factor)
    activation = activation_of(operator)
    if activation:
        relu = Operator.builtin(KIND_OF[activation], [total], [operator.output])
        graph.insert_before(operator, relu)
    else:
        graph.replace(operator.output, total)
    graph.operators.remove(operator)
    return None


def _terms(graph: Graph, total: Tensor) -> list[tuple[Operator, Array, Array]] | str:
    """The binary convolutions of a sum that nobody else reads, with multiplier and bias; or why it is none."""
    reader, producer = only_reader(graph, total), graph.producer(total)
    if isinstance(reader, str):
        return reader
    if producer is None:
        return "an input of the graph is part of the sum"
    if producer.kind == "LceBconv2d":
        parameters = line(producer)
        if parameters is None or is_clamped(producer):
            return "a binary convolution of the sum writes no plain floats"
        return [(producer, *parameters)]
    if producer.kind != "ADD" or activation_of(producer):
        return f"{producer.kind} is part of the sum"
    found = list[tuple[Operator, Array, Array]]()
    for place, tensor in enumerate(producer.inputs):
        assert tensor is not None
        if holder(graph, producer, place) is None:
            terms = _terms(graph, tensor)
            if isinstance(terms, str):
                return terms
            found += terms
        elif tensor.dtype != np.float32:
            return "a constant of the sum is no float32"
    return found


def _scale_constants(graph: Graph, total: Tensor, factor: Array) -> None:
    add = graph.producer(total)
    if add is None or add.kind != "ADD" or (factor == 1).all():
        return
    for place, tensor in enumerate(add.inputs):
        assert tensor is not None
        held = holder(graph, add, place)
        if held is None:
            _scale_constants(graph, tensor, factor)
            continue
        reader, at = held
        constant = reader.inputs[at]
        assert constant is not None
        assert constant.values is not None
        reader.inputs[at] = Tensor.constant(constant.name, (constant.values * factor).astype(np.float32))
