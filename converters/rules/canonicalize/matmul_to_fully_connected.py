"""BATCH_MATMUL with a constant matrix on the right is FULLY_CONNECTED with its transpose.

Keras's Dense is written like that when TensorFlow's converter does not know that the kernel is a constant. With an open
batch and more than two dimensions it flattens the rows in front, to a shape that is computed while the model runs:

    [..., K] -> RESHAPE [rows, K] -> BATCH_MATMUL [rows, N] -> RESHAPE [..., N]

which is FULLY_CONNECTED with `keep_num_dims` if only the first dimension is open: the rest must be what the file says.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import has_fixed_size
from mobile_bnn.converters.refusals import Refusal, RefusalCode

KINDS = frozenset({"BATCH_MATMUL"})


def apply(graph: Graph, operator: Operator) -> Refusal | None:
    """Rewrites a BATCH_MATMUL into FULLY_CONNECTED.

    Returns:
        None if it did, else why not.
    """
    data, matrix = operator.inputs
    values = None if matrix is None else matrix.values
    if data is None or values is None or matrix is None or values.dtype != np.float32 or values.ndim != 2:
        text = "the right side of BATCH_MATMUL is no constant matrix of float32"
        return Refusal(RefusalCode.FILTER_NOT_CONSTANT, text)
    if operator.options.adjX:
        return Refusal(RefusalCode.INPUT_TRANSPOSED, "the left side of BATCH_MATMUL is transposed")
    weights = Tensor.constant(matrix.name, values if operator.options.adjY else np.ascontiguousarray(values.T))
    source, output = _unflattened(graph, operator, weights.shape[1], weights.shape[0])
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = True
    dense = Operator.builtin("FULLY_CONNECTED", [source, weights, None], [output], options, version=5)
    graph.operators = [dense if other is operator else other for other in graph.operators]
    for other in graph.consumers(operator.output) if output is not operator.output else ():
        graph.operators.remove(other)
    return None


def _unflattened(graph: Graph, operator: Operator, inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
    """The tensors in front of and behind the RESHAPEs around the product, or its own input and output."""
    (data,) = (tensor for tensor in operator.inputs[:1] if tensor is not None)
    before, after = graph.producer(data), graph.consumers(operator.output)
    if before is None or before.kind != "RESHAPE" or [other.kind for other in after] != ["RESHAPE"]:
        return data, operator.output
    source, output = before.inputs[0], after[0].output
    if source is None or operator.output in graph.outputs or source.shape[-1] != inputs:
        return data, operator.output
    same = output.shape == (*source.shape[:-1], outputs)
    fixed = has_fixed_size(source) and has_fixed_size(output)
    return (source, output) if same and fixed else (data, operator.output)
