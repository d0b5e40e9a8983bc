"""PRELU that was written out, as PyTorch's exporter does, becomes one operator again.

    relu(x) - slope * relu(-x) = PRELU(x, slope)

to the last bit: of the two terms one is 0, and negating a number does not round it.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

ROOTS = frozenset({"SUB"})
_NONE, _RELU = schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU


def rewrite(graph: Graph, root: Operator) -> None:
    """Rewrites SUB(RELU(x), MUL(RELU(MUL(x, -1)), slope)) into PRELU; NEG is as good as the inner MUL.

    Raises:
        NoMatch: it is another difference.
    """
    if root.options.fusedActivationFunction != _NONE:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "it is followed by an activation")
    positive, negative = (graph.producer(tensor) if tensor is not None else None for tensor in root.inputs)
    if positive is None or positive.op_type != "RELU" or negative is None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it is not the difference of a RELU and a slope")
    x = positive.input(0)
    slope, rectified = _factor(negative, _NONE)
    if slope is None or rectified is None or _rectified_negative(graph, rectified) is not x:
        text = "it is not the difference of a RELU and a slope of the same tensor"
        raise NoMatch(RefusalCode.PATTERN_ABSENT, text)
    alpha = Tensor.constant(f"{root.output.name}/slope", _of_channels(slope, x.shape))
    output = Tensor.of(root.output.name, root.output.shape, np.float32)
    graph.insert_before(root, Operator.builtin("PRELU", [x, alpha], [output]))
    graph.remove(root)
    graph.replace(root.output, output)


def _of_channels(slope: Array, shape: tuple[int, ...]) -> Array:
    """Slopes float32 [1, ..., channels] for a tensor of that shape."""
    if (slope.size != 1 and (*slope.shape[-1:], slope.size) != 2 * shape[-1:]) or not np.isfinite(slope).all():
        raise NoMatch(RefusalCode.OPERAND_NOT_PER_CHANNEL, "its slopes are not those of channels")
    return np.broadcast_to(slope.reshape(-1), (*(1,) * (len(shape) - 2), shape[-1]))


def _rectified_negative(graph: Graph, tensor: Tensor) -> Tensor | None:
    """The x of relu(-x), None if a tensor is not that."""
    relu = graph.producer(tensor)
    if relu is None:
        return None
    negated = graph.producer(relu.input(0)) if relu.op_type == "RELU" else relu
    if negated is None:
        return None
    if negated.op_type == "NEG" and negated is not relu:
        return negated.input(0)
    factor, x = _factor(negated, _RELU if negated is relu else _NONE)
    return x if factor is not None and np.all(factor == -1) else None


def _factor(operator: Operator, activation: int) -> tuple[Array | None, Tensor | None]:
    """The constant and the tensor that a MUL with that activation multiplies, None if it is not one."""
    if operator.op_type == "MUL" and operator.options.fusedActivationFunction == activation:
        for factor, tensor in (operator.inputs, operator.inputs[::-1]):
            if factor is not None and factor.values is not None:
                return factor.values, tensor
    return None, None
