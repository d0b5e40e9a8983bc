"""A straight-through estimator that stayed in the graph goes: x + (q - x) = q for a quantizer q.

So PyTorch code lets gradients pass a quantizer, `x + (q - x).detach()`, and a trace of it computes both. What the sum
has besides q is the rounding of q - x, at most 2^-24 of the larger of the two: none of the quantizer's business.
"""

from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.quantizers.steps import quantizer
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"ADD"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Replaces a sum x + (q - x) by q.

    Raises:
        NoMatch: it is another sum, or q is not quantized.
    """
    if root.options.fusedActivationFunction != schema.ActivationFunctionType.NONE:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "it is followed by an activation")
    for difference, x in (root.inputs, root.inputs[::-1]):
        producer = None if difference is None else graph.producer(difference)
        if producer is None or producer.op_type != "SUB" or producer.inputs[1] is not x:
            continue
        if producer.options.fusedActivationFunction != schema.ActivationFunctionType.NONE:
            raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "an activation is in the middle of it")
        quantized = producer.input(0)
        if quantized.shape != root.output.shape:
            raise NoMatch(RefusalCode.SHAPE_UNFIT, "the quantizer has another shape than the sum")
        try:
            quantizer(graph, quantized)
        except NoMatch as reason:
            text = f"what it lets gradients pass is not quantized: {reason}"
            raise NoMatch(RefusalCode.INPUT_NOT_QUANTIZED, text) from reason
        graph.remove(root)
        graph.replace(root.output, quantized)
        return
    raise NoMatch(RefusalCode.PATTERN_ABSENT, "it does not add a difference to what was subtracted")
