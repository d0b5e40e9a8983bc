"""A RESHAPE to sizes of which one is computed leaves that one open: the elements are as many as before, so it is known.

That is what exporters write for a batch of any size: PACK of the batch, taken from SHAPE, and constants.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"RESHAPE"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Gives a RESHAPE a constant shape.

    Raises:
        NoMatch: it has one, or its sizes are not those of a PACK with one that is computed.
    """
    shape = root.inputs[1] if len(root.inputs) > 1 else None
    if shape is None or shape.content is not None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "its shape is known")
    pack = graph.producer(shape)
    if pack is None or pack.op_type != "PACK":
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "its shape is computed by other operators than PACK")
    sizes = [None if tensor is None else tensor.values for tensor in pack.inputs]
    computed = [size is None for size in sizes]
    if sum(computed) != 1:
        raise NoMatch(RefusalCode.OPERAND_NOT_CONSTANT, f"{sum(computed)} of its sizes are computed")
    if any(size is not None and size < 1 for size in sizes):
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "one of its sizes is open, another computed")
    values = np.array([-1 if size is None else int(size) for size in sizes], np.int32)
    graph.set_inputs(root, [root.inputs[0], Tensor.constant("shape", values)])
