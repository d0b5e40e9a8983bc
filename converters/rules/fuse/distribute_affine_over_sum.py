"""A per-channel affine map after a sum of binary convolutions moves into all of them.

    factor * (a + b + c) + summand = (factor * a + summand) + factor * b + factor * c

for binary convolutions a, b of a quantizer of several steps or a filter of several bases, and a constant map c. Where
a sign reads the result it stays behind the sum unless the sign is proved to survive (strictness.py).
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.affine import activation_of, affine, fits, is_clamped, set_affine
from mobile_bnn.converters.rules.bconv import KIND_OF, scale_and_bias
from mobile_bnn.converters.rules.binarize.border_map import held_values, holder
from mobile_bnn.converters.rules.strictness import check_signs, exact_sum
from mobile_bnn.typing import Array

ROOTS = frozenset({"MUL", "ADD", "SUB", "DIV"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Moves an affine map into the LceBconv2d whose sum it reads.

    Raises:
        NoMatch: it does not read such a sum, or is not an affine map of it.
    """
    sums = [tensor for tensor in root.inputs if tensor is not None and tensor.content is None]
    total = sums[0] if len(sums) == 1 else None
    add = None if total is None else graph.producer(total)
    if total is None or add is None or add.op_type != "ADD":
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it does not read a sum")
    factor, summand = affine(root, total)
    terms, lines = _terms(graph, total), []
    for number, (bconv, multiplier, bias) in enumerate(terms):
        lines.append((bconv, multiplier * factor, bias * factor + (0 if number else summand)))
    if not all(fits(values) for _, *parameters in lines for values in parameters):
        raise NoMatch(RefusalCode.OVERFLOW, "its result would overflow float32")
    activation = activation_of(root)
    if not activation:
        scaled = [bias * factor for _, _, bias in terms]
        offsets = [*scaled, summand, *(values * factor for values in _constants(graph, total))]
        check_signs(graph, root.output, [(bconv, multiplier) for bconv, multiplier, _ in lines], exact_sum(*offsets))
    for bconv, multiplier, bias in lines:
        set_affine(graph, bconv, bconv.output, multiplier, bias)
    _scale_constants(graph, total, factor)
    if activation:
        graph.substitute(root, Operator.builtin(KIND_OF[activation], [total], [root.output]))
    else:
        graph.remove(root)
        graph.replace(root.output, total)


def _terms(graph: Graph, total: Tensor) -> list[tuple[Operator, Array, Array]]:
    """The binary convolutions of a sum that nobody else reads, with multiplier and bias."""
    graph.only_reader(total)
    producer = graph.producer(total)
    if producer is None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "an input of the graph is part of the sum")
    if producer.op_type == "LceBconv2d":
        if is_clamped(producer):
            raise NoMatch(RefusalCode.ROUNDING, "a binary convolution of the sum has a fused activation")
        return [(producer, *scale_and_bias(producer))]
    if producer.op_type != "ADD" or activation_of(producer):
        raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{producer.op_type} is part of the sum")
    found = list[tuple[Operator, Array, Array]]()
    for place in range(len(producer.inputs)):
        tensor = producer.input(place)
        if holder(graph, producer, place) is None:
            found += _terms(graph, tensor)
        elif tensor.dtype != np.float32:
            raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "a constant of the sum is not float32")
    return found


def _constants(graph: Graph, total: Tensor) -> list[Array]:
    """The constants of a sum, float64 [O] or [1, H, W, O]."""
    add = graph.producer(total)
    if add is None or add.op_type != "ADD":
        return []
    found = list[Array]()
    for place in range(len(add.inputs)):
        if holder(graph, add, place) is None:
            found += _constants(graph, add.input(place))
        else:
            found.append(held_values(graph, add, place)[0].astype(np.float64))
    return found


def _scale_constants(graph: Graph, total: Tensor, factor: Array) -> None:
    add = graph.producer(total)
    if add is None or add.op_type != "ADD" or (factor == 1).all():
        return
    for place in range(len(add.inputs)):
        held = holder(graph, add, place)
        if held is None:
            _scale_constants(graph, add.input(place), factor)
            continue
        reader, at = held
        scaled = Tensor.constant(reader.input(at).name, (reader.constant(at) * factor).astype(np.float32))
        graph.set_inputs(reader, [*reader.inputs[:at], scaled, *reader.inputs[at + 1 :]])
