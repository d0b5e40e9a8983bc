"""CONV_2D of an input of few values and a filter of few values, also with groups: a sum of binary convolutions."""

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.quantizers.encoding import quantizer_of
from mobile_bnn.converters.quantizers.filters import binary_filter
from mobile_bnn.converters.refusals import Refusal, not_quantized
from mobile_bnn.converters.rules.binarize.binary_sum import Convolution, Linear, linear, lower
from mobile_bnn.converters.rules.conv_params import look_through_padding

KINDS = frozenset({"CONV_2D"})


def apply(graph: Graph, operator: Operator) -> Refusal | None:
    """Rewrites a CONV_2D into LceQuantize and LceBconv2d.

    Returns:
        None if it did, else why not.
    """
    read = linear(operator)
    return read if isinstance(read, Refusal) else convolve(graph, operator, read)


def convolve(graph: Graph, operator: Operator, read: Linear) -> Refusal | None:
    """Rewrites an operator that has a convolution's options and computes one with these weights [O, H, W, I]."""
    height, width = read.weights.shape[1:3]
    padded = look_through_padding(graph, operator, (height, width))
    weights = binary_filter(read.weights, padded.tensor.shape[-1])
    if isinstance(weights, Refusal):
        return weights
    steps = quantizer_of(graph, padded.tensor)
    if isinstance(steps, str):
        return not_quantized(steps)
    found = Convolution(steps, padded.tensor.shape, weights, read.bias, padded.value, padded.geometry)
    return lower(graph, operator, found)
