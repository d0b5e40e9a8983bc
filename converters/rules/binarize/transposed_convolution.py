"""TRANSPOSE_CONV of an input of few values and a filter of few values: binary convolutions, interleaved.

A transposed convolution of stride s adds in[i] * w[k] to out[i * s + k - pad]. Let y = s * q + r, and let r + pad be
s * c + first with 0 <= first < s. Then y is reached by the taps k = first + s * j alone:

    out[s * q + r] = sum over j of in[q + c - j] * w[first + s * j]

For each r, a phase, that is an ordinary convolution of stride 1 with every s-th tap of the filter, the last one first,
and so in two dimensions for each pair of phases. Phases of equally many taps at the same places are one convolution
with an output channel for each of them; DEPTH_TO_SPACE interleaves the outputs. No tap is computed that is not there,
and none is multiplied by the zeros that a stride puts between the pixels. Outside the map the input is 0, of which
binary_sum.py takes care.

Where the filter has fewer taps than the stride, some phases have none: a filter of scale 0 is computed for them.
If the padding leaves the phases at different places, they can be at the same one after all: those of y + pad are, and
the surplus is cut off (a filter of 4 with stride 2 and SAME: one convolution of 2x2 instead of four of them).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter, has_fixed_size
from mobile_bnn.converters.quantizers.encoding import Plane, encode, quantizer_of
from mobile_bnn.converters.quantizers.filters import Filter, binary_filter
from mobile_bnn.converters.quantizers.steps import StepFunction
from mobile_bnn.converters.quantizers.weights import Base
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.binarize.binary_sum import (
    Convolution,
    Linear,
    activated,
    add_sum,
    check_channels,
    linear,
)
from mobile_bnn.converters.rules.conv_params import ConvParams
from mobile_bnn.typing import Array

ROOTS = frozenset({"TRANSPOSE_CONV"})
_FILTER, _DATA, _BIAS = 1, 2, 3
_NONE = -1


def rewrite(graph: Graph, root: Operator) -> list[tuple[Operator, Plane]]:
    """Rewrites a TRANSPOSE_CONV into LceQuantize, LceBconv2d and DEPTH_TO_SPACE.

    Raises:
        NoMatch: its input or its filter takes too many values, or its sizes do not belong together.
    """
    read = linear(root, _DATA, _BIAS)
    data = root.input(_DATA)
    if not has_fixed_size(root.output):
        raise NoMatch(RefusalCode.INPUT_SHAPE_OPEN, "the shape of its output is not fixed")
    axes = [_axis(root, axis) for axis in (0, 1)]
    filters = _filter(read, data.shape[3])
    steps = quantizer_of(graph, data)
    terms = encode(steps, len(filters.bases))
    parts = [_convolution(steps, data.shape, filters, read.bias, phases) for phases in _runs(axes[0], axes[1])]
    check_channels(parts[0], terms)
    rewriter = Rewriter(graph, root)
    made = list[tuple[Operator, Plane]]()
    sums = list[Tensor]()
    for part in parts:
        total, operators = add_sum(rewriter, root.output.name, part, terms)
        sums.append(activated(rewriter, root, total))
        made += operators
    total = _interleaved(rewriter, _joined(rewriter, sums), (axes[0].stride, axes[1].stride))
    rewriter.finish(rewriter.slice(total, (0, axes[0].crop, axes[1].crop, 0), root.output.shape))
    return made


def _filter(read: Linear, channels: int) -> Filter:
    """The whole filter [O, H, W, I] as binary ones: so all phases of a channel have the same scales."""
    try:
        return binary_filter(read.weights, channels)
    except NoMatch as reason:
        columns = np.abs(np.moveaxis(read.weights, 3, 0)).reshape(read.weights.shape[3], -1)
        if reason.code is RefusalCode.FILTER_NOT_FEW_VALUED and (columns == columns[:, :1]).all():
            text = "its filter has a scale for each input channel, where one for each output would be needed"
            raise NoMatch(RefusalCode.FILTER_NOT_FEW_VALUED, text) from reason
        raise


@dataclass(frozen=True)
class _Phase:
    """Every so-manieth output along an axis: which taps it reads, and where.

    Attributes:
        taps: of the filter, in the order in which the convolution reads them; -1 if it has none.
        before: pixels of padding.
        after: the same at the other end.
    """

    taps: tuple[int, ...]
    before: int
    after: int

    @property
    def place(self) -> tuple[int, int, int]:
        """Equal for phases that one convolution can compute."""
        return len(self.taps), self.before, self.after


_Pair = tuple[_Phase, _Phase]  # of height and width


@dataclass(frozen=True)
class _Axis:
    """One dimension of a transposed convolution.

    Attributes:
        phases: in the order of the outputs.
        crop: how many outputs of the phases come before the first one of the operator.
    """

    phases: tuple[_Phase, ...]
    crop: int

    @property
    def stride(self) -> int:
        """How many phases there are."""
        return len(self.phases)

    @property
    def runs(self) -> int:
        """How many convolutions they take."""
        return len(list(groupby(self.phases, lambda phase: phase.place)))


def _axis(operator: Operator, axis: int) -> _Axis:
    """The phases along an axis, in the way that takes the fewest convolutions.

    Raises:
        NoMatch: not all inputs are read.
    """
    stride = int((operator.options.strideH, operator.options.strideW)[axis])
    taps = operator.input(_FILTER).shape[axis + 1]
    inputs, outputs = operator.input(_DATA).shape[axis + 1], operator.output.shape[axis + 1]
    # As the operator's own kernel has it: the padding of the convolution from the outputs to the inputs.
    same = operator.options.padding == schema.Padding.SAME
    steps = -(-outputs // stride) if same else (outputs - taps) // stride + 1
    padding = max((steps - 1) * stride + taps - outputs, 0) // 2
    found = [
        _Axis(_phases(inputs, outputs + crop, taps, stride, padding - crop), crop)
        for crop in dict.fromkeys((0, padding % stride))
    ]
    possible = [each for each in found if all(min(phase.before, phase.after) >= 0 for phase in each.phases)]
    if not possible:
        text = f"its output has {outputs} rows or columns, too few for {inputs} with a stride of {stride}"
        raise NoMatch(RefusalCode.INPUT_SHAPE_UNFIT, text)
    return min(possible, key=lambda each: each.runs)


def _phases(inputs: int, outputs: int, taps: int, stride: int, padding: int) -> tuple[_Phase, ...]:
    count = -(-outputs // stride)
    found = list[_Phase]()
    for phase in range(stride):
        shift, first = divmod(phase + padding, stride)
        own = tuple(range(first, taps, stride))[::-1]
        if own:
            found.append(_Phase(own, len(own) - 1 - shift, count - inputs + shift))
        else:
            found.append(_Phase((_NONE,), 0, count - inputs))
    return tuple(found)


def _runs(height: _Axis, width: _Axis) -> Iterator[list[_Pair]]:
    """The phases in the order of DEPTH_TO_SPACE, as many at once as one convolution can compute."""
    pairs = product(height.phases, width.phases)
    for _, run in groupby(pairs, lambda pair: (pair[0].place, pair[1].place)):
        yield list(run)


def _convolution(
    steps: StepFunction, view: tuple[int, ...], filters: Filter, bias: Array, phases: list[_Pair]
) -> Convolution:
    """A convolution of the outputs of some phases."""
    height, width = phases[0]
    one = (1, 1)
    params = ConvParams(
        size=(len(height.taps), len(width.taps)),
        stride=one,
        dilation=one,
        pad_before=(height.before, width.before),
        pad_after=(height.after, width.after),
        map_size=(view[1], view[2]),
    )
    return Convolution(steps, view, _part(filters, phases), np.tile(bias, len(phases)), 0.0, params)


def _part(filters: Filter, phases: list[_Pair]) -> Filter:
    """The taps of some phases, with output channels for each phase."""
    reads = [_NONE not in (*height.taps, *width.taps) for height, width in phases]

    def cut(values: Array) -> Array:
        return np.concatenate([values[:, height.taps][:, :, width.taps] for height, width in phases])

    bases = [Base(cut(base.signs), np.outer(reads, base.scale).reshape(-1)) for base in filters.bases]
    values = cut(filters.values) * np.repeat(reads, len(filters.values))[:, None, None, None]
    return Filter(values, bases, filters.channels, len(values))


def _joined(rewriter: Rewriter, sums: list[Tensor]) -> Tensor:
    if len(sums) == 1:
        return sums[0]
    options = schema.ConcatenationOptionsT()
    options.axis = 3
    shape = (*sums[0].shape[:3], sum(part.shape[3] for part in sums))
    output = Tensor.of(f"{sums[0].name}/phases", shape, np.float32)
    return rewriter.add(Operator.builtin("CONCATENATION", sums, [output], options))


def _interleaved(rewriter: Rewriter, phases: Tensor, stride: tuple[int, int]) -> Tensor:
    """Phases [N, H, W, stride * stride * O] as [N, H * stride, W * stride, O]."""
    (rows, columns), (batch, height, width, channels) = stride, phases.shape
    shape = (batch, height * rows, width * columns, channels // (rows * columns))
    if rows == columns:
        return phases if rows == 1 else _depth_to_space(rewriter, phases, rows, shape)
    if rows == 1:  # the phases of a row are in order
        return rewriter.reshape(phases, shape)
    parts = rewriter.reshape(phases, (batch * height, width, rows, columns * shape[3]))
    order = Tensor.constant(f"{phases.name}/order", np.array([0, 2, 1, 3], np.int32))
    output = Tensor.of(f"{phases.name}/rows", (batch * height, rows, width, columns * shape[3]), np.float32)
    in_order = rewriter.add(Operator.builtin("TRANSPOSE", [parts, order], [output], schema.TransposeOptionsT()))
    return rewriter.reshape(in_order, shape)


def _depth_to_space(rewriter: Rewriter, phases: Tensor, stride: int, shape: tuple[int, ...]) -> Tensor:
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = stride
    output = Tensor.of(f"{phases.name}/interleaved", shape, np.float32)
    return rewriter.add(Operator.builtin("DEPTH_TO_SPACE", [phases], [output], options))
