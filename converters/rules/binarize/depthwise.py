"""DEPTHWISE_CONV_2D of an input of few values and a filter of few values: a convolution with one channel in a group.

Output o looks at channel o / depth_multiplier alone. filters.py joins 32 such groups to one, with a filter that is 0
but for one channel: two binary filters, 8 bytes for each weight and 64 bit products, where float32 has 4 bytes and one
product. It is larger and slower than the float operator; it is done because somebody asked for it.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.quantizers.encoding import Plane
from mobile_bnn.converters.rules.binarize.binary_sum import Linear, linear
from mobile_bnn.converters.rules.binarize.convolution import convolve

ROOTS = frozenset({"DEPTHWISE_CONV_2D"})


def rewrite(graph: Graph, root: Operator) -> list[tuple[Operator, Plane]]:
    """Rewrites a DEPTHWISE_CONV_2D into LceQuantize and LceBconv2d.

    Raises:
        NoMatch: its input or its filter takes too many values, or it is not a plain convolution.
    """
    return convolve(graph, root, _grouped(linear(root)))


def _grouped(depthwise: Linear) -> Linear:
    """The weights [1, H, W, O] as those of a convolution, [O, H, W, 1]."""
    return Linear(np.ascontiguousarray(np.moveaxis(depthwise.weights[0], 2, 0))[..., None], depthwise.bias)
