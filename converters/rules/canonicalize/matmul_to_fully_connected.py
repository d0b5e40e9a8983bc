"""BATCH_MATMUL with a constant matrix on the right is FULLY_CONNECTED with its transpose.

Keras's Dense is written like that when TensorFlow's converter does not know that the kernel is a constant. With an open
batch and more than two dimensions it flattens the leading ones (rules/flattened.py).
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.flattened import unflattened

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
    flattened = unflattened(graph, root, weights.shape[1], weights.shape[0])
    source, output = flattened or (root.input(0), root.output)
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = True
    restoring = graph.consumers(root.output) if flattened else []
    graph.substitute(root, Operator.builtin("FULLY_CONNECTED", [source, weights, None], [output], options, version=5))
    graph.remove(*restoring)
