"""BATCH_MATMUL with a constant matrix on the right is FULLY_CONNECTED with its transpose.

Keras's Dense is written like that when TensorFlow's converter does not know that the kernel is a constant. With an open
batch and more than two dimensions it flattens the leading ones, to a shape that is computed while the model runs:

    [..., K] -> RESHAPE [rows, K] -> BATCH_MATMUL [rows, N] -> RESHAPE [..., N]

which is FULLY_CONNECTED with `keep_num_dims` if only the first dimension is open: the rest must be what the file says.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import has_fixed_size
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"BATCH_MATMUL"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Rewrites a BATCH_MATMUL into FULLY_CONNECTED.

    Raises:
        NoMatch: its right side is not a constant matrix, or its left side is transposed.
    """
    matrix = root.input(1)
    values = matrix.values
    if values is None or values.dtype != np.float32 or values.ndim != 2:
        text = "the right side of BATCH_MATMUL is not a constant matrix of float32"
        raise NoMatch(RefusalCode.FILTER_NOT_CONSTANT, text)
    if root.options.adjX:
        raise NoMatch(RefusalCode.INPUT_TRANSPOSED, "the left side of BATCH_MATMUL is transposed")
    weights = Tensor.constant(matrix.name, values if root.options.adjY else np.ascontiguousarray(values.T))
    source, output = _unflattened(graph, root, weights.shape[1], weights.shape[0])
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = True
    flattened = graph.consumers(root.output) if output is not root.output else []
    graph.substitute(root, Operator.builtin("FULLY_CONNECTED", [source, weights, None], [output], options, version=5))
    graph.remove(*flattened)


def _unflattened(graph: Graph, operator: Operator, inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
    """The tensors before and after the RESHAPEs around the product, or its own input and output."""
    data = operator.input(0)
    before, after = graph.producer(data), graph.consumers(operator.output)
    if before is None or before.op_type != "RESHAPE" or [other.op_type for other in after] != ["RESHAPE"]:
        return data, operator.output
    source, output = before.input(0), after[0].output
    if operator.output in graph.outputs or source.shape[-1] != inputs:
        return data, operator.output
    same = output.shape == (*source.shape[:-1], outputs)
    fixed = has_fixed_size(source) and has_fixed_size(output)
    return (source, output) if same and fixed else (data, operator.output)
