"""SPACE_TO_BATCH_ND, a transposed convolution of stride 1, BATCH_TO_SPACE_ND: one dilated convolution.

Without a stride, a transposed convolution that computes all outputs is a convolution with the filter turned around,
padded with one pixel less than it has taps: out[y] = sum over k of in[y - k] * w[k]. Blocks of d give its taps gaps of
d (recompose_dilated_conv.py). With p zeros that SPACE_TO_BATCH_ND puts around the map, and c pixels that
BATCH_TO_SPACE_ND cuts off the result, that is a padding of p + (taps - 1) * d - c with zeros.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter, has_fixed_size
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

ROOTS = frozenset({"TRANSPOSE_CONV"})
_FILTER, _DATA, _BIAS = 1, 2, 3


def rewrite(graph: Graph, root: Operator) -> None:
    """Rewrites a TRANSPOSE_CONV between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND into PAD and CONV_2D.

    Raises:
        NoMatch: it does not stand between them, has a stride, or not all outputs.
    """
    to_batch = graph.producer(root.input(_DATA))
    if to_batch is None or to_batch.op_type != "SPACE_TO_BATCH_ND":
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it does not stand between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND")
    to_space = graph.only_reader(root.output)
    if to_space.op_type != "BATCH_TO_SPACE_ND":
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it does not stand between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND")
    weights, source = root.constant(_FILTER), to_batch.input(0)
    if weights.dtype != np.float32:
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "its filter is not float32")
    if not has_fixed_size(source):
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "a size is open besides the batch")
    before, after, block = _padding(root, to_batch, to_space)
    rewriter = Rewriter(graph, to_space)
    image = rewriter.pad(source, before, after, 0.0) if before.any() or after.any() else source
    flipped = Tensor.constant(root.input(_FILTER).name, np.ascontiguousarray(weights[:, ::-1, ::-1]))
    bias = root.inputs[_BIAS] if len(root.inputs) > _BIAS else None
    if bias is None:
        bias = Tensor.constant("no_bias", np.zeros(len(weights), np.float32))
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = schema.Padding.VALID, 1, 1
    options.dilationHFactor, options.dilationWFactor = (int(factor) for factor in block)
    options.fusedActivationFunction = root.options.fusedActivationFunction
    output = Tensor.of(root.output.name, to_space.output.shape, np.float32)
    convolution = Operator.builtin("CONV_2D", [image, flipped, bias], [output], options, version=2)
    rewriter.finish(rewriter.add(convolution))
    graph.remove_unread(root)


def _padding(root: Operator, to_batch: Operator, to_space: Operator) -> tuple[Array, Array, Array]:
    """Zeros before and after the map, and the dilation, each for height and width."""
    options, data, output = root.options, root.input(_DATA).shape, root.output.shape
    taps = np.array(root.input(_FILTER).shape[1:3])
    if (options.strideH, options.strideW) != (1, 1) or tuple(np.add(data[1:3], taps - 1)) != tuple(output[1:3]):
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it has a stride or padding of its own")
    (block, padding), (back, crops) = ((each.constant(1), each.constant(2)) for each in (to_batch, to_space))
    if len(block) != 2 or not np.array_equal(block, back):
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "its blocks are not the same before and after, or not those of a map")
    amounts = padding + ((taps - 1) * block)[:, None] - crops
    if (amounts < 0).any():
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "it crops more than padding")
    return amounts[:, 0], amounts[:, 1], block
