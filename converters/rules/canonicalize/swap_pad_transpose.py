"""A PAD before a TRANSPOSE comes after it.

    transpose(pad(x, amounts), q) = pad(transpose(x, q), the amounts in the order q)

PyTorch pads maps that have their channels first. After the TRANSPOSE the padding belongs to the convolution, and the
TRANSPOSE finds the one that it undoes.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"TRANSPOSE"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Swaps a PAD or PADV2 with the TRANSPOSE that is its only reader.

    Raises:
        NoMatch: there is no padding before it, or others read it.
    """
    data = root.input(0)
    pad = graph.producer(data)
    if pad is None or pad.op_type not in ("PAD", "PADV2"):
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "there is no PAD before it")
    order, amounts, image = root.constant(1), pad.constant(1), pad.input(0)
    graph.only_reader(data)
    if image.dtype is None:
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "it pads a type that NumPy lacks")
    transposed = Tensor.of(image.name, np.array(image.shape)[order], image.dtype)
    new = Tensor.constant(pad.input(1).name, amounts[order])
    graph.insert_before(root, root.between([image, root.inputs[1]], [transposed]))
    graph.remove(pad)
    graph.substitute(root, pad.between([transposed, new, *pad.inputs[2:]], root.outputs))
