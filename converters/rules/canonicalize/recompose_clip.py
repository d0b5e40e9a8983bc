"""A clip that is written with magnitudes becomes one of MINIMUM and RELU: (|x| - |x - a| + a) / 2 = clip(x, 0, a).

PACT's paper defines its activation so (arXiv 1805.06085, equation 1), for a > 0: below 0 the sum is -x - (a - x) + a
= 0, from 0 to a it is x - (a - x) + a = 2x, above a it is x - (x - a) + a = 2a. What the sum has besides in floats is
the rounding of its terms, at most 2^-23 of the larger of |x| and a: it keeps the steps of a quantizer after it from
being found, and is none of the clip's business. The factor 1/2 may be missing, or be joined with others: the result
is 2 clip(x, 0, a), which is exact.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

ROOTS = frozenset({"ADD"})
_NONE = schema.ActivationFunctionType.NONE


def rewrite(graph: Graph, root: Operator) -> None:
    """Replaces |x| - |x - a| + a by 2 clip(x, 0, a).

    Raises:
        NoMatch: it is another sum, or a is not a positive constant.
    """
    if root.options.fusedActivationFunction != _NONE:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "it is followed by an activation")
    difference, bound = _with_constant(root)
    producer = graph.producer(difference)
    if producer is None or producer.op_type != "SUB" or producer.options.fusedActivationFunction != _NONE:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it does not add a constant to a difference")
    source, shifted = (_inside_abs(graph, tensor) for tensor in producer.inputs)
    if not _is_shifted(graph, shifted, source, bound):
        text = "the difference is not that of |x| and |x - a| for the a that is added"
        raise NoMatch(RefusalCode.PATTERN_ABSENT, text)
    if not (np.isfinite(bound) & (bound > 0)).all():
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "the bound of the clip is not positive")
    if source.shape != root.output.shape:
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "the clip has another shape than what it clips")
    name, shape = root.output.name, root.output.shape
    positive, clipped, total = (Tensor.of(f"{name}/{part}", shape, np.float32) for part in ("relu", "clip", "twice"))
    limit = Tensor.constant(f"{name}/bound", bound)
    rewriter = Rewriter(graph, root)
    rewriter.add(Operator.builtin("RELU", [source], [positive]))
    rewriter.add(Operator.builtin("MINIMUM", [positive, limit], [clipped], schema.MaximumMinimumOptionsT()))
    rewriter.add(Operator.builtin("ADD", [clipped, clipped], [total], schema.AddOptionsT()))
    rewriter.finish(total)


def _with_constant(operator: Operator) -> tuple[Tensor, Array]:
    """The summand that is computed, and the constant that is added to it."""
    for computed, constant in (operator.inputs, operator.inputs[::-1]):
        if computed is not None and computed.content is None and constant is not None and constant.values is not None:
            return computed, constant.values
    raise NoMatch(RefusalCode.PATTERN_ABSENT, "it adds no constant")


def _inside_abs(graph: Graph, tensor: Tensor | None) -> Tensor:
    """What a tensor is the magnitude of."""
    producer = None if tensor is None else graph.producer(tensor)
    if producer is None or producer.op_type != "ABS":
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "the difference is not one of magnitudes")
    return producer.input(0)


def _is_shifted(graph: Graph, shifted: Tensor, source: Tensor, bound: Array) -> bool:
    """Whether a tensor is another one minus a bound, or the bound minus it: their magnitudes are the same."""
    producer = graph.producer(shifted)
    if producer is None or producer.op_type not in ("ADD", "SUB"):
        return False
    if producer.options.fusedActivationFunction != _NONE or source not in producer.inputs:
        return False
    other = producer.input(1) if producer.inputs[0] is source else producer.input(0)
    if other.values is None:
        return False
    wanted = -bound if producer.op_type == "ADD" else bound
    same_places = other.shape == bound.shape or other.values.size == 1
    return same_places and bool((other.values.reshape(-1) == wanted.reshape(-1)).all())
