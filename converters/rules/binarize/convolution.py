"""CONV_2D of an input of few values and a filter of few values, also with groups: a sum of binary convolutions."""

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.quantizers.encoding import Plane, quantizer_of
from mobile_bnn.converters.quantizers.filters import binary_filter
from mobile_bnn.converters.rules.binarize.binary_sum import Convolution, Linear, linear, lower
from mobile_bnn.converters.rules.conv_params import look_through_padding

ROOTS = frozenset({"CONV_2D"})


def rewrite(graph: Graph, root: Operator) -> list[tuple[Operator, Plane]]:
    """Rewrites a CONV_2D into LceQuantize and LceBconv2d.

    Raises:
        NoMatch: its input or its filter takes too many values, or it is not a plain convolution.
    """
    return convolve(graph, root, linear(root))


def convolve(graph: Graph, operator: Operator, read: Linear) -> list[tuple[Operator, Plane]]:
    """Rewrites an operator that has a convolution's options and computes one with these weights [O, H, W, I]."""
    height, width = read.weights.shape[1:3]
    padded = look_through_padding(graph, operator, (height, width))
    weights = binary_filter(read.weights, padded.tensor.shape[-1])
    steps = quantizer_of(graph, padded.tensor)
    found = Convolution(steps, padded.tensor.shape, weights, read.bias, padded.value, padded.params)
    return lower(graph, operator, found)
