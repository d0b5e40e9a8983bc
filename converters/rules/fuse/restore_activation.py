"""A RELU, RELU6 or RELU_N1_TO_1 after an operator that stays float moves into it, as the kernels of TFLite have it.

    RELU6(CONV_2D) = CONV_2D with RELU6

to the last bit (split_activation). If others read the operator's result only to compare it with thresholds that the
clamp does not move, they read the clamped one instead: for a = min(max(x, low), high)

    a >= t  <=>  x >= t    where low < t <= high,
    a <= t  <=>  x <= t    where low <= t < high.

LceQuantize of ADD(x, s) is the first for t = -s and that of ADD(MUL(x, -1), s) the second for t = s: a float sum has
the sign of the exact one. So a clip that a quantizer shares with a shortcut costs no operator.
"""

from math import inf
from typing import Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.bconv import ACTIVATIONS
from mobile_bnn.converters.rules.canonicalize import split_activation
from mobile_bnn.typing import Array

ROOTS: Final = frozenset(ACTIVATIONS)
_LIMITS = {"RELU": (0.0, inf), "RELU_N1_TO_1": (-1.0, 1.0), "RELU6": (0.0, 6.0)}


def rewrite(graph: Graph, root: Operator) -> None:
    """Fuses an activation into the operator before it.

    Raises:
        NoMatch: that operator takes none, or others read its result for another reason than thresholds.
    """
    raw = root.input(0)
    producer = graph.producer(raw)
    if producer is None or producer.op_type not in split_activation.ROOTS or producer.options is None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "no operator that takes an activation stands before it")
    if producer.options.fusedActivationFunction != schema.ActivationFunctionType.NONE:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, f"{producer.op_type} before it has an activation already")
    if raw.dtype != np.float32 or raw in graph.outputs:
        raise NoMatch(RefusalCode.SHARED_RESULT, f"what {producer.op_type} before it computes must stay as it is")
    others = [reader for reader in graph.consumers(raw) if reader is not root]
    low, high = _LIMITS[root.op_type]
    for reader in others:
        if not _only_compares(graph, reader, raw, low, high):
            text = f"{reader.op_type}, too, reads the result of {producer.op_type} before it"
            raise NoMatch(RefusalCode.SHARED_RESULT, text)
    output = root.output
    graph.remove(root)
    # The readers of the raw result may stand before the activation, but none before the operator.
    producer.options.fusedActivationFunction = ACTIVATIONS[root.op_type]
    graph.set_outputs(producer, [output])
    for reader in others:
        graph.set_inputs(reader, [output if tensor is raw else tensor for tensor in reader.inputs])


def _only_compares(graph: Graph, reader: Operator, x: Tensor, low: float, high: float) -> bool:
    """Whether an operator reads a tensor for signs only, and for such as a clamp leaves."""
    if reader.op_type == "LceQuantize":
        return low < 0 <= high
    if reader.op_type == "ADD":
        shift = _operand(reader, x)
        return shift is not None and _is_packed(graph, reader) and bool(((low < -shift) & (-shift <= high)).all())
    if reader.op_type != "MUL" or reader.output in graph.outputs:
        return False
    factor = _operand(reader, x)
    if factor is None or not np.isin(factor, (-1, 1)).all():
        return False
    return all(_keeps(graph, each, reader.output, factor, low, high) for each in graph.consumers(reader.output))


def _keeps(graph: Graph, reader: Operator, tensor: Tensor, factor: Array, low: float, high: float) -> bool:
    """Whether an operator compares a tensor, whose channels may be turned around, with thresholds within limits."""
    if reader.op_type == "LceQuantize":
        shift: Array | None = np.zeros(1)
    else:
        shift = _operand(reader, tensor) if reader.op_type == "ADD" and _is_packed(graph, reader) else None
    if shift is None:
        return False
    rises = (low < -shift) & (-shift <= high)
    falls = (low <= shift) & (shift < high)
    return bool(np.where(factor > 0, rises, falls).all())


def _operand(operator: Operator, tensor: Tensor) -> Array | None:
    """The constant that an operator without an activation adds to a tensor, or multiplies it with: float64."""
    left, right = operator.inputs
    constant = right if left is tensor else left
    values = None if constant is None else constant.values
    if values is None or values.dtype != np.float32:
        return None
    if operator.options.fusedActivationFunction != schema.ActivationFunctionType.NONE:
        return None
    return values.astype(np.float64)


def _is_packed(graph: Graph, operator: Operator) -> bool:
    """Whether the signs of a result are all that anybody reads of it."""
    readers = graph.consumers(operator.output)
    return operator.output not in graph.outputs and all(reader.op_type == "LceQuantize" for reader in readers)
