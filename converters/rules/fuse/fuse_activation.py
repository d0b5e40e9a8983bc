"""A RELU behind a binary convolution becomes the clamp that LCE puts on its sum.

LCE clamps the integer sum before multiplier and bias:

    relu(m * sum) = m * relu(sum)                       for m > 0
    relu(m * sum) = |m| * relu(sum of the turned filter) for m < 0

so a RELU moves in where the bias is 0. The limits of RELU6 and RELU_N1_TO_1 are those of the sum only where |m| is 1.
LCE's fast kernels have no clamp where the padding is 0. With another bias or multiplier the operator stays what it is.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.rules.bconv import (
    ACTIVATIONS,
    line,
    only_reader,
    pads_with_zeros,
    replaced,
    turned,
)

KINDS = frozenset({"LceBconv2d"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Fuses the RELU, RELU6 or RELU_N1_TO_1 behind an LceBconv2d.

    Returns:
        None if it did, else why not.
    """
    reader = only_reader(graph, operator.output)
    if isinstance(reader, str):
        return reader
    if reader.kind not in ACTIVATIONS:
        return f"{reader.kind} behind it is no RELU"
    parameters = line(operator)
    if parameters is None or operator.custom_options["fused_activation_function"]:
        return "it has an activation already"
    if pads_with_zeros(operator):
        return "LCE's kernels have no activation where the padding is 0"
    multiplier, bias = parameters
    if bias.any():
        return f"{reader.kind} comes behind a bias, LCE's activation in front of it"
    if reader.kind != "RELU" and (np.abs(multiplier) != 1).any():
        return f"the limits of {reader.kind} come behind a multiplier, LCE's in front of it"
    positive = Tensor.constant("multiplier", np.abs(multiplier).astype(np.float32))
    inputs = [turned(operator, multiplier < 0), positive, operator.inputs[3], None]
    graph.operators.remove(reader)
    replaced(graph, operator, reader.output, inputs, fused_activation_function=ACTIVATIONS[reader.kind])
    return None
