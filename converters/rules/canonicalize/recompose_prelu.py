"""PRELU that was written out, as PyTorch's exporter does, becomes one operator again.

    relu(x) - slope * relu(-x) = PRELU(x, slope)

to the last bit: of the two terms one is 0, and negating a number does not round it.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.typing import Array

KINDS = frozenset({"SUB"})
_NONE, _RELU = schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU


def apply(graph: Graph, operator: Operator) -> str | None:
    """Rewrites SUB(RELU(x), MUL(MUL(x, -1) with RELU, slope)) into PRELU.

    Returns:
        None if it did, else why not.
    """
    if operator.options.fusedActivationFunction != _NONE:
        return "it is followed by an activation"
    positive, negative = (graph.producer(tensor) if tensor is not None else None for tensor in operator.inputs)
    if positive is None or positive.kind != "RELU" or negative is None:
        return "it is no difference between a RELU and a slope"
    x = positive.inputs[0]
    slope, rectified = _factor(negative, _NONE)
    source = None if rectified is None else graph.producer(rectified)
    sign, inner = (None, None) if source is None else _factor(source, _RELU)
    if slope is None or sign is None or inner is not x or x is None or not np.all(sign == -1):
        return "it is no difference between a RELU and a slope of the same tensor"
    slopes = _of_channels(slope, x.shape)
    if slopes is None:
        return "its slopes are not those of channels"
    alpha = Tensor.constant(f"{operator.output.name}/slope", slopes)
    output = Tensor.of(operator.output.name, operator.output.shape, np.float32)
    graph.insert_before(operator, Operator.builtin("PRELU", [x, alpha], [output]))
    graph.operators.remove(operator)
    graph.replace(operator.output, output)
    return None


def _of_channels(slope: Array, shape: tuple[int, ...]) -> Array | None:
    """Slopes float32 [1, ..., channels] for a tensor of that shape; None if they are no numbers or not by channel."""
    if (slope.size != 1 and (*slope.shape[-1:], slope.size) != 2 * shape[-1:]) or not np.isfinite(slope).all():
        return None
    return np.broadcast_to(slope.reshape(-1), (*(1,) * (len(shape) - 2), shape[-1]))


def _factor(operator: Operator, activation: int) -> tuple[Array | None, Tensor | None]:
    """The constant and the tensor that a MUL with that activation multiplies, None if it is none."""
    if operator.kind == "MUL" and operator.options.fusedActivationFunction == activation:
        for factor, tensor in (operator.inputs, operator.inputs[::-1]):
            if factor is not None and factor.values is not None:
                return factor.values, tensor
    return None, None
