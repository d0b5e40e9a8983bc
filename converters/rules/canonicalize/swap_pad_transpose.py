"""A PAD in front of a TRANSPOSE comes behind it.

    transpose(pad(x, amounts), q) = pad(transpose(x, q), the amounts in the order q)

PyTorch pads maps that have their channels first. Behind the TRANSPOSE the padding belongs to the convolution, and the
TRANSPOSE finds the one that it undoes.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor

KINDS = frozenset({"TRANSPOSE"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Swaps a PAD or PADV2 with the TRANSPOSE that is its only reader.

    Returns:
        None if it did, else why not.
    """
    data, order = operator.inputs
    pad = None if data is None else graph.producer(data)
    if pad is None or data is None or pad.kind not in ("PAD", "PADV2"):
        return "there is no padding in front of it"
    amounts, image = pad.inputs[1], pad.inputs[0]
    if order is None or order.values is None or amounts is None or amounts.values is None or image is None:
        return "its order or the padding is computed"
    if graph.consumers(data) != [operator] or data in graph.outputs or image.dtype is None:
        return "what was padded is used by others, too"
    turned = Tensor.of(image.name, np.array(image.shape)[order.values], image.dtype)
    new = Tensor.constant(amounts.name, amounts.values[order.values])
    graph.operators.remove(pad)
    graph.insert_before(operator, Operator(operator.kind, [image, order], [turned], operator.code, operator.table))
    pad.inputs, pad.outputs = [turned, new, *pad.inputs[2:]], operator.outputs
    graph.insert_before(operator, pad)
    graph.operators.remove(operator)
    return None
