"""An activation that is fused into an operator becomes an operator of its own, so that quantizers can be seen whole.

    CONV_2D with RELU6 = RELU6(CONV_2D)

to the last bit: TFLite's kernels clamp each result after it was rounded to float32. TensorFlow's converter fuses every
RELU, RELU6 and RELU_N1_TO_1 into the operator before it, also where the clamp is half of a quantizer, such as
round(3 * clip(x, -1, 1)): what is left of that would take any number of values. A clamp that nothing has used in the
end returns to its operator: restore_activation.
"""

from typing import Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.bconv import KIND_OF

# Those whose kernels clamp what they write. LSTMs and their like have activations inside.
ROOTS: Final = frozenset(
    {"ADD", "SUB", "MUL", "DIV", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CONV_3D"}
    | {"AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"}
)


def rewrite(graph: Graph, root: Operator) -> None:
    """Puts the activation of an operator after it.

    Raises:
        NoMatch: it has none, or one that is not an operator for floats.
    """
    activation = 0 if root.options is None else root.options.fusedActivationFunction
    if activation == schema.ActivationFunctionType.NONE:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it has no fused activation")
    if activation not in KIND_OF:
        raise NoMatch(RefusalCode.ACTIVATION_UNSUPPORTED, "its fused activation is not one of the RELUs")
    if len(root.outputs) != 1 or root.output.dtype != np.float32:
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "it does not write floats")
    output = root.output
    raw = output.copy()  # open sizes stay open; the names tell the layer
    root.options.fusedActivationFunction = schema.ActivationFunctionType.NONE
    graph.set_outputs(root, [raw])
    graph.insert_after(root, Operator.builtin(KIND_OF[activation], [raw], [output]))
