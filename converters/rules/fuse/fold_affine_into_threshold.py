"""Element-wise operators that only an LceQuantize reads the result of become one shift, where that are fewer.

A batch norm before a sign is a threshold: sign(m * x + b) = sign(x - t), or sign(t' - x) where m is negative.
"""

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph, subgraphs
from mobile_bnn.converters.quantizers.threshold import sign_threshold
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"LceQuantize"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Shortens what stands before an LceQuantize.

    Raises:
        NoMatch: nothing does, others read it, it is not a step of one tensor, or as short as can be.
    """
    reason = NoMatch(RefusalCode.PATTERN_ABSENT, "no element-wise operator stands before it")
    # The largest subgraphs first: they are the ones that save most, and their reason is the one to tell.
    for number, subgraph in enumerate(reversed(list(subgraphs(graph, root.input(0))))):
        try:
            _shorten(graph, root, subgraph)
        except NoMatch as why:
            reason = reason if number else why
            continue
        return
    raise reason


def _shorten(graph: Graph, quantize: Operator, subgraph: ElementwiseSubgraph) -> None:
    graph.check_unshared([inner.output for inner in subgraph.operators], (quantize, *subgraph.operators))
    argument, new = sign_threshold(subgraph).argument()
    if len(new) >= len(subgraph.operators):
        raise NoMatch(RefusalCode.NO_GAIN, "what stands before it is as short as can be")
    graph.insert_before(quantize, *new)
    graph.set_inputs(quantize, [argument])
    graph.remove(*subgraph.operators)
