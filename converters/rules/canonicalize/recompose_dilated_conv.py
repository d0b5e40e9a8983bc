"""SPACE_TO_BATCH_ND, a convolution without padding and stride, BATCH_TO_SPACE_ND: one dilated convolution.

Blocks of d sort the pixels by their place modulo d; a filter moves over each sort alone, as a filter with gaps of d
over all. SPACE_TO_BATCH_ND puts p zeros in front of and behind the map, BATCH_TO_SPACE_ND cuts c pixels of the result
off: together that is a padding of p - c with zeros. Sequences [N, L, C] are maps of one row between their RESHAPEs.
"""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import RESHAPES, Site, has_fixed_size
from mobile_bnn.converters.rules.canonicalize.swap_expand_dims_pad import added_axis
from mobile_bnn.converters.rules.conv_params import Geometry

KINDS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})


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


def apply(graph: Graph, operator: Operator) -> str | None:
    """Rewrites a convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND.

    Returns:
        None if it did, else why not.
    """
    found = _find(graph, operator)
    if isinstance(found, str):
        return found
    weights = operator.inputs[1]
    assert weights is not None
    geometry = _geometry(found, (weights.shape[1], weights.shape[2]))
    if isinstance(geometry, str):
        return geometry
    site = Site(graph, found.to_space)
    (source,) = (tensor for tensor in found.to_batch.inputs[:1] if tensor is not None)
    shape = source.shape if found.axis is None else tuple(np.insert(source.shape, found.axis, 1))
    image = site.reshape(source, shape)
    if not geometry.is_valid and not geometry.is_same:
        image = site.pad(image, geometry.before, geometry.after, 0.0)
        geometry = replace(geometry, before=(0, 0), after=(0, 0), map_size=(image.shape[1], image.shape[2]))
    output = Tensor.of(operator.output.name, (shape[0], *geometry.output_size, operator.output.shape[3]), np.float32)
    options = copy(operator.options)
    options.dilationHFactor, options.dilationWFactor = geometry.dilation
    options.padding = schema.Padding.VALID if geometry.is_valid else schema.Padding.SAME
    dilated = Operator.builtin(operator.kind, [image, *operator.inputs[1:]], [output], options, version=2)
    site.finish(site.reshape(site.add(dilated), found.to_space.output.shape))
    graph.remove_dead()
    return None


def _find(graph: Graph, operator: Operator) -> _Found | str:
    (data,) = (tensor for tensor in operator.inputs[:1] if tensor is not None)
    before, after = graph.producer(data), _reader(graph, operator.output)
    axis = None
    if before is not None and before.kind in RESHAPES and after is not None and after.kind in RESHAPES:
        (sequence,) = (tensor for tensor in before.inputs[:1] if tensor is not None)
        axis = added_axis(sequence.shape, data.shape)
        if axis is None or added_axis(after.output.shape, operator.output.shape) != axis:
            return "a RESHAPE beside it does more than to add an axis of 1 to a sequence"
        before, after = graph.producer(sequence), _reader(graph, after.output)
    kinds = [None if other is None else other.kind for other in (before, after)]
    if before is None or after is None or kinds != ["SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"]:
        return "it does not stand between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND"
    options = operator.options
    ones = (options.strideH, options.strideW, options.dilationHFactor, options.dilationWFactor)
    if options.padding != schema.Padding.VALID or set(ones) != {1}:
        return "it has padding, a stride or a dilation of its own"
    return _Found(before, after, axis)


def _reader(graph: Graph, tensor: Tensor) -> Operator | None:
    """The operator that alone reads a tensor."""
    readers = graph.consumers(tensor)
    return readers[0] if len(readers) == 1 and tensor not in graph.outputs else None


def _geometry(found: _Found, filter_size: tuple[int, int]) -> Geometry | str:
    """The dilated convolution's geometry, or why there is none."""
    constants = [
        None if tensor is None else tensor.values for tensor in (*found.to_batch.inputs[1:], *found.to_space.inputs[1:])
    ]
    source = found.to_batch.inputs[0]
    if any(values is None for values in constants) or source is None or not has_fixed_size(source):
        return "its blocks are not constant"
    block, padding, block_back, crops = (np.asarray(values) for values in constants)
    if not np.array_equal(block, block_back) or len(block) != len(source.shape) - 2:
        return "its blocks are not the same in front and behind"
    amounts = padding - crops
    if (amounts < 0).any():
        return "it cuts off more than padding"
    if found.axis is not None:
        block, amounts = np.insert(block, found.axis - 1, 1), np.insert(amounts, found.axis - 1, 0, axis=0)
    size = [*source.shape[1:-1]] if found.axis is None else [*np.insert(source.shape[1:-1], found.axis - 1, 1)]
    (top, bottom), (left, right) = ((int(front), int(back)) for front, back in amounts)
    height, width = (int(factor) for factor in block)
    map_size = (int(size[0]), int(size[1]))
    return Geometry(filter_size, (1, 1), (height, width), (top, left), (bottom, right), map_size)
