"""A RESHAPE or EXPAND_DIMS that adds an axis of 1 to a sequence [N, L, C] moves in front of a PAD.

A 1-D convolution is written as a CONV_2D over [N, 1, L, C]. Where it is padded explicitly the sequence is padded first;
the 2-D rules look for padding right in front of the convolution, and padding the map by no rows is the same.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Site, has_fixed_size

KINDS = frozenset({"RESHAPE", "EXPAND_DIMS"})


def apply(graph: Graph, operator: Operator) -> str | None:
    """Swaps the operator with the PAD or PADV2 in front of it.

    Returns:
        None if it did, else why not.
    """
    (padded,) = operator.inputs[:1]
    pad = None if padded is None else graph.producer(padded)
    if padded is None or pad is None or pad.kind not in ("PAD", "PADV2"):
        return "there is no PAD in front of it"
    axis = added_axis(padded.shape, operator.output.shape)
    if axis is None:
        return "it does more than to add an axis of 1 to a sequence"
    source, amounts = pad.inputs[0], None if pad.inputs[1] is None else pad.inputs[1].values
    if source is None or amounts is None or amounts[0].any() or not has_fixed_size(source):
        return "the padding is not constant"
    site = Site(graph, operator)
    wider = site.reshape(source, np.insert(source.shape, axis, 1))
    constant = Tensor.constant("padding", np.insert(amounts, axis, 0, axis=0))
    options = schema.PadOptionsT() if pad.kind == "PAD" else schema.PadV2OptionsT()
    output = Tensor.of(padded.name, operator.output.shape, padded.dtype)
    site.finish(site.add(Operator.builtin(pad.kind, [wider, constant, *pad.inputs[2:]], [output], options)))
    return None


def added_axis(sequence: tuple[int, ...], image: tuple[int, ...]) -> int | None:
    """Where a map [N, H, W, C] has one axis of 1 more than a sequence [N, L, C], None if it is no such map."""
    if len(sequence) != 3:
        return None
    return next((axis for axis in (1, 2) if image == (*sequence[:axis], 1, *sequence[axis:])), None)
