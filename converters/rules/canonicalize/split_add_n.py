"""A sum of many tensors becomes sums of two, of which the analyses of quantizers and sums know everything.

    ADD_N(a, b, c) = ADD(ADD(a, b), c)

in the order of TFLite's own kernel on one thread; on several it adds in another order, which rounding explains.
tf.add_n writes it, and torch.stack(...).sum(0) in some exporters: a thermometer of steps, the bases of ABC-Net.
"""

from functools import reduce

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.graph.rewriter import Rewriter
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"ADD_N"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Replaces a sum by pairwise ones.

    Raises:
        NoMatch: it does not add floats, or fewer than two tensors.
    """
    terms = [tensor for tensor in root.inputs if tensor is not None]
    if len(terms) < 2:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it adds fewer than two tensors")
    if any(tensor.dtype != np.float32 for tensor in (*terms, root.output)):
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "it does not add floats")
    terms[:2] = sorted(terms[:2], key=lambda tensor: tensor.content is not None)  # constants stand second
    rewriter = Rewriter(graph, root)
    total = reduce(lambda sums, term: rewriter.elementwise("ADD", sums, term), terms)
    total.table.name, total.table.shapeSignature = root.output.table.name, root.output.table.shapeSignature
    rewriter.finish(total)
