"""A RELU after a binary convolution becomes the clamp that LCE puts on its sum.

LCE clamps the integer sum before multiplier and bias:

    relu(m * sum) = m * relu(sum)                       for m > 0
    relu(m * sum) = |m| * relu(sum of the turned filter) for m < 0

so a RELU moves in where the bias is 0. The limits of RELU6 and RELU_N1_TO_1 are those of the sum only where |m| is 1.
LCE's fast kernels have no clamp where the padding is 0. With another bias or multiplier the operator stays what it is.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.bconv import ACTIVATIONS, negated_outputs, pads_with_zeros, replaced, scale_and_bias

ROOTS = frozenset({"LceBconv2d"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Fuses the RELU, RELU6 or RELU_N1_TO_1 after an LceBconv2d.

    Raises:
        NoMatch: none alone reads its result, or its clamp would not be that of the sum.
    """
    reader = graph.only_reader(root.output)
    if reader.op_type not in ACTIVATIONS:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, f"{reader.op_type} after it is not a RELU")
    multiplier, bias = scale_and_bias(root)
    if root.custom_options["fused_activation_function"]:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "it has an activation already")
    if pads_with_zeros(root):
        raise NoMatch(RefusalCode.LCE_LIMIT, "LCE's kernels have no activation where the padding is 0")
    if bias.any():
        raise NoMatch(RefusalCode.LCE_LIMIT, f"{reader.op_type} follows a bias, LCE's activation precedes it")
    if reader.op_type != "RELU" and (np.abs(multiplier) != 1).any():
        text = f"the limits of {reader.op_type} follow a multiplier, LCE's precede it"
        raise NoMatch(RefusalCode.LCE_LIMIT, text)
    positive = Tensor.constant("multiplier", np.abs(multiplier).astype(np.float32))
    inputs = [negated_outputs(root, multiplier < 0), positive, root.inputs[3], None]
    graph.remove(reader)
    replaced(graph, root, reader.output, inputs, fused_activation_function=ACTIVATIONS[reader.op_type])
