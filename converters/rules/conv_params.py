"""How a filter moves over a map: TFLite's rule for SAME and VALID, and explicit padding before it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch


@dataclass(frozen=True)
class ConvParams:
    """Of a convolution over [N, H, W, C], each pair for height and width.

    Attributes:
        size: of the filter.
        stride: between outputs.
        dilation: between taps.
        pad_before: pixels of padding above and on the left.
        pad_after: pixels of padding below and on the right.
        map_size: of the input without padding.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad_before: tuple[int, int]
    pad_after: tuple[int, int]
    map_size: tuple[int, int]

    @property
    def effective_size(self) -> tuple[int, int]:
        """Pixels from a filter's first tap to its last."""
        height, width = ((size - 1) * dilation + 1 for size, dilation in zip(self.size, self.dilation, strict=True))
        return height, width

    @property
    def is_valid(self) -> bool:
        """No padding."""
        return self.pad_before == self.pad_after == (0, 0)

    @property
    def is_same(self) -> bool:
        """Padding as TFLite's SAME puts it."""
        return (self.pad_before, self.pad_after) == _same(self.effective_size, self.stride, self.map_size)

    @property
    def is_small(self) -> bool:
        """A filter larger than the map: LCE's own kernels pad it wrongly with zeros."""
        return any(
            effective_size > size for effective_size, size in zip(self.effective_size, self.map_size, strict=True)
        )

    @property
    def output_size(self) -> tuple[int, int]:
        """Of the convolution's result."""
        return self._outputs(0), self._outputs(1)

    def _outputs(self, axis: int) -> int:
        padded = self.pad_before[axis] + self.map_size[axis] + self.pad_after[axis]
        return (padded - self.effective_size[axis]) // self.stride[axis] + 1

    def inside(self) -> npt.NDArray[np.float32]:
        """1 where a tap reads the map and 0 where it reads padding: float32 [outputs high, wide, taps high, wide]."""
        rows, columns = (self._inside(axis) for axis in (0, 1))
        return rows[:, None, :, None] * columns[None, :, None, :]

    def _inside(self, axis: int) -> npt.NDArray[np.float32]:
        start = np.arange(self._outputs(axis))[:, None] * self.stride[axis] - self.pad_before[axis]
        at = start + np.arange(self.size[axis]) * self.dilation[axis]
        return ((at >= 0) & (at < self.map_size[axis])).astype(np.float32)


def _same(
    effective_size: tuple[int, int], stride: tuple[int, int], size: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding before and after."""
    total = [max((-(-n // s) - 1) * s + e - n, 0) for e, s, n in zip(effective_size, stride, size, strict=True)]
    return (total[0] // 2, total[1] // 2), (total[0] - total[0] // 2, total[1] - total[1] // 2)


@dataclass(frozen=True)
class Padded:
    """What a convolution reads: a map, what stands around it, and where.

    Attributes:
        tensor: the map without explicit padding.
        value: of the pixels around it.
        params: of the convolution over it.
    """

    tensor: Tensor
    value: float
    params: ConvParams


def look_through_padding(graph: Graph, convolution: Operator, filter_size: tuple[int, int]) -> Padded:
    """The map that a CONV_2D or DEPTHWISE_CONV_2D reads, with its own padding or that of a PAD before it."""
    options = convolution.options
    tensor = convolution.input(0)
    stride, dilation = (options.strideH, options.strideW), (options.dilationHFactor, options.dilationWFactor)
    effective_size = tuple((size - 1) * factor + 1 for size, factor in zip(filter_size, dilation, strict=True))
    size = (tensor.shape[1], tensor.shape[2])
    if options.padding == schema.Padding.SAME:
        before, after = _same((effective_size[0], effective_size[1]), stride, size)
        return Padded(tensor, 0.0, ConvParams(filter_size, stride, dilation, before, after, size))
    none = Padded(tensor, 0.0, ConvParams(filter_size, stride, dilation, (0, 0), (0, 0), size))
    pad = graph.producer(tensor)
    if pad is None or pad.op_type not in ("PAD", "PADV2"):
        return none
    try:
        inner, amounts = pad.input(0), pad.constant(1)
        value = pad.constant(2) if len(pad.inputs) > 2 and pad.inputs[2] is not None else np.zeros(1)
    except NoMatch:  # the padding is computed: then it is the map's
        return none
    if amounts.shape != (4, 2) or amounts[[0, 3]].any() or (amounts < 0).any():
        return none
    (top, bottom), (left, right) = ((int(a), int(b)) for a, b in amounts[1:3])
    params = ConvParams(filter_size, stride, dilation, (top, left), (bottom, right), (inner.shape[1], inner.shape[2]))
    return Padded(inner, float(value.reshape(-1)[0]), params)
