"""Padding in front of a quantizer comes behind it: f(pad(x, v)) = pad(f(x), f(v)), where f(v) is one value.

The convolution then pads by itself, and the signs are packed before they are padded.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.activations import step_function
from mobile_bnn.converters.rules.copies import copied

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
    pad = graph.producer(steps.cone.source)
    if pad is None or pad.kind not in ("PAD", "PADV2"):
        return "its quantizer does not read what was padded"
    amounts, value, image = pad.inputs[1], pad.inputs[2] if len(pad.inputs) > 2 else None, pad.inputs[0]
    if image is None or amounts is None or amounts.values is None or (value is not None and value.values is None):
        return "the padding is computed"
    if amounts.values.shape != (4, 2) or amounts.values[[0, 3]].any():
        return "the padding adds channels or samples"
    outside = np.float32(0) if value is None or value.values is None else value.values.reshape(-1)[0]
    levels = np.unique(steps(np.full((1, steps.cone.channels), outside, np.float32)))
    if len(levels) > 1:
        return "the padding is of another value in each channel behind the quantizer"
    # The quantizer's operators once more, for the map without padding.
    tensors = {id(steps.cone.source): image}
    for inner in steps.cone.operators:
        output = Tensor.of(inner.output.name, image.shape, inner.output.dtype)
        inputs = [tensor if tensor is None else tensors.get(id(tensor), tensor) for tensor in inner.inputs]
        graph.insert_before(operator, copied(inner, inputs, [output]))
        tensors[id(inner.output)] = output
    padded = Tensor.of(data.name, data.shape, np.float32)
    constants = [amounts, Tensor.constant("outside", levels.reshape(()).astype(np.float32))]
    inputs = [tensors[id(data)], *constants]
    graph.insert_before(operator, Operator.builtin("PADV2", inputs, [padded], schema.PadV2OptionsT()))
    operator.inputs = [padded, *operator.inputs[1:]]
    return None
