"""A straight-through estimator that stayed in the graph goes: x + (q - x) = q for a quantizer q.

So PyTorch code lets gradients pass a quantizer, `x + (q - x).detach()`, and a trace of it computes both. It may be
written x - (x - q) and (-x + q) + x as well, and x may be computed twice. What the sum has besides q is the rounding
of q - x, at most 2^-24 of the larger of the two: none of the quantizer's business.

Rounding alone passes gradients the same way, with the clip after it (QKeras, Brevitas): q changes in jumps, and need
not be bounded. Where q is ROUND, FLOOR or CEIL of x itself the sum is q to the last bit: both q - x, by Sterbenz's
lemma or because its rounding is less than half a unit of the whole number, and the sum are then exact.
"""

from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ELEMENTWISE
from mobile_bnn.converters.quantizers.pieces import changes_in_jumps
from mobile_bnn.converters.quantizers.steps import quantizer
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"ADD", "SUB"})
_NONE = schema.ActivationFunctionType.NONE
_DEPTH = 24  # operators that are compared one with another, to see that x was computed twice


def rewrite(graph: Graph, root: Operator) -> None:
    """Replaces a sum x + (q - x), or a difference x - (x - q), by q.

    Raises:
        NoMatch: it is another sum, or q is not quantized.
    """
    if root.options.fusedActivationFunction != _NONE:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "it is followed by an activation")
    for quantized in _candidates(graph, root):
        if quantized.shape != root.output.shape:
            raise NoMatch(RefusalCode.SHAPE_UNFIT, "the quantizer has another shape than the sum")
        _check_quantized(graph, quantized)
        graph.remove(root)
        graph.replace(root.output, quantized)
        return
    raise NoMatch(RefusalCode.PATTERN_ABSENT, "it does not add a difference to what was subtracted")


def _candidates(graph: Graph, root: Operator) -> Iterator[Tensor]:
    """The q of x + (q - x) and x - (x - q)."""
    left, right = root.input(0), root.input(1)
    pairs = [(left, right), (right, left)] if root.op_type == "ADD" else [(right, left)]
    for difference, x in pairs:
        for plus, minus in _differences(graph, difference):
            added, q = (minus, plus) if root.op_type == "ADD" else (plus, minus)
            if q.content is None and _same(graph, added, x, _DEPTH):
                yield q


def _differences(graph: Graph, tensor: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The a and b of a difference a - b, also of a + (-b)."""
    producer = graph.producer(tensor)
    if producer is None or producer.op_type not in ("SUB", "ADD"):
        return []
    if producer.options.fusedActivationFunction != _NONE:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "an activation is in the middle of it")
    left, right = producer.input(0), producer.input(1)
    if producer.op_type == "SUB":
        return [(left, right)]
    pairs = ((left, _negated(graph, right)), (right, _negated(graph, left)))
    return [(plus, minus) for plus, minus in pairs if minus is not None]


def _negated(graph: Graph, tensor: Tensor) -> Tensor | None:
    """The x of -x."""
    producer = graph.producer(tensor)
    if producer is not None and producer.op_type == "NEG":
        return producer.input(0)
    if producer is None or producer.op_type != "MUL" or producer.options.fusedActivationFunction != _NONE:
        return None
    for factor, x in (producer.inputs, producer.inputs[::-1]):
        if factor is not None and factor.values is not None and np.all(factor.values == -1):
            return x
    return None


def _same(graph: Graph, one: Tensor, other: Tensor, depth: int) -> bool:
    """Whether two tensors are one, or computed element by element in the same way from the same ones."""
    if one is other:
        return True
    if one.content is not None or other.content is not None:
        left, right = one.values, other.values
        return left is not None and right is not None and left.dtype == right.dtype and np.array_equal(left, right)
    first, second = graph.producer(one), graph.producer(other)
    if depth == 0 or first is None or second is None or first.op_type != second.op_type:
        return False
    if first.op_type not in ELEMENTWISE or len(first.inputs) != len(second.inputs):
        return False
    if (None if first.options is None else vars(first.options)) != (
        None if second.options is None else vars(second.options)
    ):
        return False
    pairs = zip(first.inputs, second.inputs, strict=True)
    return all(a is b if a is None or b is None else _same(graph, a, b, depth - 1) for a, b in pairs)


def _check_quantized(graph: Graph, tensor: Tensor) -> None:
    """Checks that a tensor takes few values, or changes in jumps."""

    def elementwise(each: Tensor) -> Operator | None:
        producer = graph.producer(each)
        return producer if producer is not None and producer.op_type in ELEMENTWISE else None

    try:
        quantizer(graph, tensor)
    except NoMatch as reason:
        if changes_in_jumps(elementwise, tensor):
            return
        text = f"what it lets gradients pass is not quantized: {reason}"
        raise NoMatch(RefusalCode.INPUT_NOT_QUANTIZED, text) from reason
