"""A straight-through estimator that stayed in the graph goes: x + (q - x) = q for a quantizer q.

So PyTorch code lets gradients pass a quantizer, `x + (q - x).detach()`, and a trace of it computes both. What the sum
has besides q is the rounding of q - x, at most 2^-24 of the larger of the two: none of the quantizer's business.
"""

from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.quantizers.steps import quantizer

KINDS = frozenset({"ADD"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Replaces a sum x + (q - x) by q.

    Returns:
        None if it did, else why not.
    """
    if operator.options.fusedActivationFunction != schema.ActivationFunctionType.NONE:
        return "it is followed by an activation"
    for difference, x in (operator.inputs, operator.inputs[::-1]):
        producer = None if difference is None else graph.producer(difference)
        if producer is None or producer.kind != "SUB" or producer.inputs[1] is not x:
            continue
        if producer.options.fusedActivationFunction != schema.ActivationFunctionType.NONE:
            return "an activation is in the middle of it"
        quantized = producer.inputs[0]
        if quantized is None or quantized.shape != operator.output.shape:
            return "it is of another shape"
        found = quantizer(graph, quantized)
        if isinstance(found, str):
            return f"what it lets gradients pass is not quantized: {found}"
        graph.operators.remove(operator)
        graph.replace(operator.output, quantized)
        return None
    return "it adds nothing that was subtracted before"
