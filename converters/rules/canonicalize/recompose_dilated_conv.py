"""SPACE_TO_BATCH_ND, a convolution without padding and stride, BATCH_TO_SPACE_ND: one dilated convolution.

Blocks of d sort the pixels by their place modulo d; a filter moves over each sort alone, as a filter with gaps of d
over all. SPACE_TO_BATCH_ND puts p zeros before and after the map, BATCH_TO_SPACE_ND cuts c pixels of the result
off: together that is a padding of p - c with zeros. Sequences [N, L, C] are maps of one row between their RESHAPEs.
"""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import RESHAPES, Rewriter, has_fixed_size
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.canonicalize.swap_expand_dims_pad import added_axis
from mobile_bnn.converters.rules.conv_params import ConvParams

ROOTS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})


@dataclass(frozen=True)
class _Found:
    """The operators of a dilated convolution.

    Attributes:
        to_batch: SPACE_TO_BATCH_ND.
        to_space: BATCH_TO_SPACE_ND.
        axis: that a sequence has not, None for maps.
    """

    to_batch: Operator
    to_space: Operator
    axis: int | None


def rewrite(graph: Graph, root: Operator) -> None:
    """Rewrites a convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND.

    Raises:
        NoMatch: it does not stand between them, or they do more than to dilate it.
    """
    found = _find(graph, root)
    weights = root.input(1)
    params = _params(found, (weights.shape[1], weights.shape[2]))
    rewriter = Rewriter(graph, found.to_space)
    source = found.to_batch.input(0)
    shape = source.shape if found.axis is None else tuple(np.insert(source.shape, found.axis, 1))
    image = rewriter.reshape(source, shape)
    if not params.is_valid and not params.is_same:
        image = rewriter.pad(image, params.pad_before, params.pad_after, 0.0)
        params = replace(params, pad_before=(0, 0), pad_after=(0, 0), map_size=(image.shape[1], image.shape[2]))
    output = Tensor.of(root.output.name, (shape[0], *params.output_size, root.output.shape[3]), np.float32)
    options = copy(root.options)
    options.dilationHFactor, options.dilationWFactor = params.dilation
    options.padding = schema.Padding.VALID if params.is_valid else schema.Padding.SAME
    dilated = Operator.builtin(root.op_type, [image, *root.inputs[1:]], [output], options, version=2)
    last = graph.producer(found.to_space.input(0))
    rewriter.finish(rewriter.reshape(rewriter.add(dilated), found.to_space.output.shape))
    if last is not None:
        graph.remove_unread(last)


def _find(graph: Graph, operator: Operator) -> _Found:
    data = operator.input(0)
    before = graph.producer(data)
    if before is None or before.op_type not in ("SPACE_TO_BATCH_ND", *RESHAPES):
        raise _not_between()
    after, axis = graph.only_reader(operator.output), None
    if before.op_type in RESHAPES and after.op_type in RESHAPES:
        sequence = before.input(0)
        axis = added_axis(sequence.shape, data.shape)
        if axis is None or added_axis(after.output.shape, operator.output.shape) != axis:
            text = "a RESHAPE beside it does more than to add an axis of 1 to a sequence"
            raise NoMatch(RefusalCode.SHAPE_UNFIT, text)
        before, after = graph.producer(sequence), graph.only_reader(after.output)
    if before is None or (before.op_type, after.op_type) != ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"):
        raise _not_between()
    options = operator.options
    ones = (options.strideH, options.strideW, options.dilationHFactor, options.dilationWFactor)
    if options.padding != schema.Padding.VALID or set(ones) != {1}:
        raise NoMatch(RefusalCode.PATTERN_ABSENT, "it has padding, a stride or a dilation of its own")
    return _Found(before, after, axis)


def _not_between() -> NoMatch:
    return NoMatch(RefusalCode.PATTERN_ABSENT, "it does not stand between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND")


def _params(found: _Found, filter_size: tuple[int, int]) -> ConvParams:
    """The parameters of the dilated convolution."""
    operators = (found.to_batch, found.to_space)
    block, padding, block_back, crops = (operator.constant(number) for operator in operators for number in (1, 2))
    source = found.to_batch.input(0)
    if not has_fixed_size(source):
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "a size is open besides the batch")
    if not np.array_equal(block, block_back) or len(block) != len(source.shape) - 2:
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "its blocks are not the same before and after")
    amounts = padding - crops
    if (amounts < 0).any():
        raise NoMatch(RefusalCode.SHAPE_UNFIT, "it crops more than padding")
    if found.axis is not None:
        block, amounts = np.insert(block, found.axis - 1, 1), np.insert(amounts, found.axis - 1, 0, axis=0)
    size = [*source.shape[1:-1]] if found.axis is None else [*np.insert(source.shape[1:-1], found.axis - 1, 1)]
    (top, bottom), (left, right) = ((int(first), int(last)) for first, last in amounts)
    height, width = (int(factor) for factor in block)
    map_size = (int(size[0]), int(size[1]))
    return ConvParams(filter_size, (1, 1), (height, width), (top, left), (bottom, right), map_size)
