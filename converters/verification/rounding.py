"""How far rounding may move the outputs of a binary file that come straight from binary convolutions.

LceBconv2d computes (bias + multiplier * terms) - 2 * multiplier * accumulator in float32. The batch norm of a channel
that hardly varies has a large multiplier and a bias that takes all of it back: the small result then has the large
terms' rounding.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.rules.bconv import accumulator_values, scale_and_bias

_ROUNDINGS = 2.0**-22  # of the largest term: three operations of half a unit each, and the float file's own
_PASSED_ON = frozenset({"RESHAPE", "SLICE", "CONCATENATION", "ADD", "RELU", "RELU6", "RELU_N1_TO_1"})


def rounding(graph: Graph, tensor: Tensor) -> float:
    """A bound for a tensor; 0 if it is the result of anything but binary convolutions and their sums."""
    producer = graph.producer(tensor)
    if producer is None:
        return 0.0
    if producer.op_type in _PASSED_ON:
        return sum(rounding(graph, part) for part in producer.inputs if part is not None)
    if producer.op_type != "LceBconv2d" or producer.output.dtype != np.float32:
        return 0.0
    multiplier, bias = scale_and_bias(producer)
    return float(_ROUNDINGS * (np.abs(multiplier) * accumulator_values(producer)[-1] + np.abs(bias)).max())
