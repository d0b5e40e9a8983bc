"""A RESHAPE to sizes of which one is computed leaves that one open: the elements are as many as before, so it is known.

That is what exporters write for a batch of any size: PACK of the batch, taken from SHAPE, and constants.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor

KINDS = frozenset({"RESHAPE"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Gives a RESHAPE a constant shape.

    Returns:
        None if it did, else why not.
    """
    shape = operator.inputs[1] if len(operator.inputs) > 1 else None
    if shape is None or shape.content is not None:
        return "its shape is known"
    pack = graph.producer(shape)
    if pack is None or pack.kind != "PACK":
        return "its shape is computed"
    sizes = [None if tensor is None else tensor.values for tensor in pack.inputs]
    computed = [size is None for size in sizes]
    if sum(computed) != 1:
        return f"{sum(computed)} of its sizes are computed"
    if any(size is not None and size < 1 for size in sizes):
        return "one of its sizes is open, another computed"
    values = np.array([-1 if size is None else int(size) for size in sizes], np.int32)
    operator.inputs = [operator.inputs[0], Tensor.constant("shape", values)]
    return None
