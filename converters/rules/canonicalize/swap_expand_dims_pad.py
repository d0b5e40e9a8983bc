"""A RESHAPE or EXPAND_DIMS that adds an axis of 1 to a sequence [N, L, C] moves before a PAD.

A 1-D convolution is written as a CONV_2D over [N, 1, L, C]. Where it is padded explicitly the sequence is padded first;
the 2-D rules look for padding directly before the convolution, and padding the map by no rows is the same.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter, has_fixed_size
from mobile_bnn.converters.refusals import NoMatch, RefusalCode

ROOTS = frozenset({"RESHAPE", "EXPAND_DIMS"})


def rewrite(graph: Graph, root: Operator) -> None:
    """Swaps the operator with the PAD or PADV2 before it.

    Raises:
        NoMatch: there is no padding before it, or it does more than to add an axis.
    """
    padded = root.input(0)
    pad = graph.producer(padded)
    if pad is None or pad.op_type not in ("PAD", "PADV2"):
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "there is no PAD before it")
    axis = added_axis(padded.shape, root.output.shape)
    if axis is None:
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "it does more than to add an axis of 1 to a sequence")
    source, amounts = pad.input(0), pad.constant(1)
    if amounts[0].any() or not has_fixed_size(source):
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "it pads samples, or a size besides the batch is open")
    rewriter = Rewriter(graph, root)
    wider = rewriter.reshape(source, np.insert(source.shape, axis, 1))
    constant = Tensor.constant("padding", np.insert(amounts, axis, 0, axis=0))
    options = schema.PadOptionsT() if pad.op_type == "PAD" else schema.PadV2OptionsT()
    output = Tensor.of(padded.name, root.output.shape, padded.dtype)
    rewriter.finish(rewriter.add(Operator.builtin(pad.op_type, [wider, constant, *pad.inputs[2:]], [output], options)))


def added_axis(sequence: tuple[int, ...], image: tuple[int, ...]) -> int | None:
    """Where a map [N, H, W, C] has one axis of 1 more than a sequence [N, L, C], None if it is not such a map."""
    if len(sequence) != 3:
        return None
    return next((axis for axis in (1, 2) if image == (*sequence[:axis], 1, *sequence[axis:])), None)
