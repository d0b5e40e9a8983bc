"""FULLY_CONNECTED between RESHAPEs to computed shapes keeps its input's dimensions instead.

Keras 3 writes a dense layer of more than two dimensions so (Tensordot). The product reads rows of K values and writes
rows of N, in the same order, whatever dimensions they are arranged in: with `keep_num_dims` they are those of the
input. Exact: the same products are summed by the same kernel.
"""

from copy import copy

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.graph.rewriter import has_fixed_size
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.flattened import unflattened

ROOTS = frozenset({"FULLY_CONNECTED"})
_KEEPS_DIMENSIONS = 2  # the first version of the operator that can


def rewrite(graph: Graph, root: Operator) -> None:
    """Takes the RESHAPEs around a FULLY_CONNECTED away.

    Raises:
        NoMatch: its input has a fixed size, or it does not stand between two RESHAPEs that undo each other.
    """
    if has_fixed_size(root.input(0)):
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "the shape of its input is fixed")
    weights = root.input(1)
    found = unflattened(graph, root, weights.shape[1], weights.shape[0])
    if found is None:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it is not between two RESHAPEs that flatten and restore")
    source, output = found
    restoring = graph.consumers(root.output)
    options = copy(root.options)
    options.keepNumDims = True
    version = max(root.code.version, _KEEPS_DIMENSIONS)
    kept = Operator.builtin("FULLY_CONNECTED", [source, *root.inputs[1:]], [output], options, version)
    graph.substitute(root, kept)
    graph.remove(*restoring)
