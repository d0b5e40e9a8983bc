"""ADD_N becomes a chain of ADD, the first two inputs first: quantizers and sums of convolutions are found in ADDs.

    ADD_N(a, b, c) = ADD(ADD(a, b), c)

to the last bit: TFLite's kernel adds its inputs one after the other, to a 0. The 0 matters to a sum of -0.0 alone.
`tf.add_n` is what Keras's layers and losses sum with, and steps of unequal sizes are often written so.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"ADD_N"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Replaces an ADD_N by as many ADDs as it has inputs, less one.

    Raises:
        NoMatch: it does not add floats.
    """
    if root.output.dtype != np.float32:
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "it does not add floats")
    total = root.input(0)
    for number in range(1, len(root.inputs) - 1):
        part = root.output.copy()  # open sizes stay open
        part.table.name = f"{root.output.name}/{number}"
        graph.insert_before(root, Operator.builtin("ADD", [total, root.input(number)], [part], schema.AddOptionsT()))
        total = part
    last = root.input(len(root.inputs) - 1)
    graph.substitute(root, Operator.builtin("ADD", [total, last], [root.output], schema.AddOptionsT()))
