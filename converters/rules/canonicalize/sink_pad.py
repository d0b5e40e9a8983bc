"""Padding before a quantizer comes after it: f(pad(x, v)) = pad(f(x), f(v)), where f(v) is one value.

The convolution then pads by itself, and the signs are packed before they are padded.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.clone import clone_subgraph
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph, subgraphs
from mobile_bnn.converters.quantizers.steps import step_function
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Moves a PAD before a convolution's quantizer after it.

    Raises:
        NoMatch: the quantizer does not read what was padded, or not with one value.
    """
    data = root.input(0)
    if data.content is not None or root.options.padding != schema.Padding.VALID:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "its input is a constant, or it pads by itself")
    step_function(graph, data)
    subgraph, pad = _padded(graph, data)
    amounts, image = pad.constant(1), pad.input(0)
    outside = pad.constant(2).reshape(-1)[0] if len(pad.inputs) > 2 and pad.inputs[2] is not None else np.float32(0)
    if amounts.shape != (4, 2) or amounts[[0, 3]].any():
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "the padding adds channels or samples")
    levels = np.unique(subgraph.evaluator()(np.full((1, subgraph.channels), outside, np.float32)))
    if len(levels) > 1:
        text = "the quantizer gives the padding another value in each channel"
        raise NoMatch(RefusalCode.OPERAND_NOT_PER_CHANNEL, text)
    quantized, new = clone_subgraph(subgraph, image)
    padded = Tensor.of(data.name, data.shape, np.float32)
    constants = [pad.inputs[1], Tensor.constant("outside", levels.reshape(()).astype(np.float32))]
    new.append(Operator.builtin("PADV2", [quantized, *constants], [padded], schema.PadV2OptionsT()))
    graph.insert_before(root, *new)
    graph.set_inputs(root, [padded, *root.inputs[1:]])


def _padded(graph: Graph, data: Tensor) -> tuple[ElementwiseSubgraph, Operator]:
    """The quantizer that reads what was padded, and the padding."""
    for subgraph in subgraphs(graph, data):
        pad = graph.producer(subgraph.source)
        if pad is not None and pad.op_type in ("PAD", "PADV2"):
            return subgraph, pad
    raise NoMatch(RefusalCode.PATTERN_ABSENT, "its quantizer does not read what was padded")
