"""Element-wise operators that only an LceQuantize reads the result of become one shift, where that are fewer.

A batch norm in front of a sign is a threshold: sign(m * x + b) = sign(x - t), or sign(t' - x) where m is negative.
"""

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.quantizers.elementwise import cones
from mobile_bnn.converters.quantizers.threshold import sign_threshold, used_elsewhere

KINDS = frozenset({"LceQuantize"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Shortens what stands in front of an LceQuantize.

    Returns:
        None if it did, else why not.
    """
    (data,) = operator.inputs
    assert data is not None
    reasons = []
    # The largest cones first: they are the ones that save most.
    for cone in reversed(list(cones(graph, data))):
        if used_elsewhere(graph, cone, operator):
            reasons.append("what stands in front of it is used by others, too")
            continue
        signs = sign_threshold(cone)
        if isinstance(signs, str):
            reasons.append(signs)
            continue
        argument, new = signs.argument()
        if len(new) >= len(cone.operators):
            reasons.append("what stands in front of it is as short as can be")
            continue
        graph.insert_before(operator, *new)
        operator.inputs = [argument]
        for inner in cone.operators:
            graph.operators.remove(inner)
        return None
    return reasons[0] if reasons else "no element-wise operator stands in front of it"
