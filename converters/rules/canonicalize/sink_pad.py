"""Padding in front of a quantizer comes behind it: f(pad(x, v)) = pad(f(x), f(v)), where f(v) is one value.

The convolution then pads by itself, and the signs are packed before they are padded.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.clone import copied_cone
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import cones
from mobile_bnn.converters.quantizers.steps import step_function

KINDS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Moves a PAD in front of a convolution's quantizer behind it.

    Returns:
        None if it did, else why not.
    """
    data = operator.inputs[0]
    if data is None or data.content is not None or operator.options.padding != schema.Padding.VALID:
        return "its input is a constant, or it pads by itself"
    steps = step_function(graph, data)
    if isinstance(steps, str):
        return steps
    sources = ((cone, graph.producer(cone.source)) for cone in cones(graph, data))
    found = next(((cone, pad) for cone, pad in sources if pad is not None and pad.kind in ("PAD", "PADV2")), None)
    if found is None:
        return "its quantizer does not read what was padded"
    cone, pad = found
    amounts, value, image = pad.inputs[1], pad.inputs[2] if len(pad.inputs) > 2 else None, pad.inputs[0]
    if image is None or amounts is None or amounts.values is None or (value is not None and value.values is None):
        return "the padding is computed"
    if amounts.values.shape != (4, 2) or amounts.values[[0, 3]].any():
        return "the padding adds channels or samples"
    outside = np.float32(0) if value is None or value.values is None else value.values.reshape(-1)[0]
    levels = np.unique(cone.evaluator()(np.full((1, cone.channels), outside, np.float32)))
    if len(levels) > 1:
        return "the padding is of another value in each channel behind the quantizer"
    quantized, new = copied_cone(cone, image)
    padded = Tensor.of(data.name, data.shape, np.float32)
    constants = [amounts, Tensor.constant("outside", levels.reshape(()).astype(np.float32))]
    new.append(Operator.builtin("PADV2", [quantized, *constants], [padded], schema.PadV2OptionsT()))
    graph.insert_before(operator, *new)
    operator.inputs = [padded, *operator.inputs[1:]]
    return None
