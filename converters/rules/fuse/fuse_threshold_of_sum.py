"""What stands between a sum of binary convolutions and a sign becomes a threshold of its whole sum.

The sum takes the values unit * k + offset for whole k (sum_of_bconvs.py). Element-wise operators after it are
evaluated, by the runtime's own kernels, on those values: where they are proved to be monotone, bisection finds the k at
which each channel's sign changes, and

    k >= t   =>  k - t + 1/2 > 0, else < 0     where it rises
    k <  t   => -k + t - 1/2 > 0, else < 0     where it falls: the multipliers of that channel are negated

Every term on the right is a whole number or the half of one, far below 2^24: so the kernels compute the left side of
the comparison exactly, in any order, and no value is 0. A strict comparison stays strict and one with 0 is not decided
by rounding. Where the offset is another one in each pixel, such as what padding lacks, the threshold is too, and is
added as a constant map. What is moved between the operators and LceQuantize (a PAD) keeps its place: it moves signs.
"""

from dataclasses import dataclass

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.graph.rewriter import Rewriter
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph, subgraphs
from mobile_bnn.converters.quantizers.monotonicity import monotonicity
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.affine import is_exact_sum
from mobile_bnn.converters.rules.bconv import replaced
from mobile_bnn.converters.rules.binarize import border_map
from mobile_bnn.converters.rules.sum_of_bconvs import Grid, SumOfBconvs, grid_of, sum_of_bconvs
from mobile_bnn.typing import Array

ROOTS = frozenset({"LceQuantize"})
_MOVES = frozenset({"PAD", "PADV2", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "SLICE", "STRIDED_SLICE"})


@dataclass(frozen=True)
class _Found:
    """A sum, and what is done to it until its sign is taken."""

    total: SumOfBconvs
    subgraph: ElementwiseSubgraph
    reader: Operator


def rewrite(graph: Graph, root: Operator) -> None:
    """Gives a sum of LceBconv2d before an LceQuantize, and before element-wise operators in between, a threshold.

    Raises:
        NoMatch: there is none, others read a part of it, its values are on no grid, or its sign is not a step of it.
    """
    found = _find(graph, root)
    grid = grid_of(found.total.terms)
    if not found.subgraph.operators and found.total.is_plain and _is_exact(found.total, grid):
        raise NoMatch(RefusalCode.NO_GAIN, "its sum is exact, and nothing stands between")
    pixels, pixel_of = _pixels(found.total.offset)
    falls, shift = _thresholds(found.subgraph, grid, pixels)
    _put(graph, found, np.where(falls, -1, 1) * grid.counts, shift, pixel_of)


def _find(graph: Graph, root: Operator) -> _Found:
    reader, data = root, root.input(0)
    while (mover := graph.producer(data)) is not None and mover.op_type in _MOVES:
        graph.check_unshared([data], (reader,))
        reader, data = mover, mover.input(0)
    reason = NoMatch(RefusalCode.PATTERN_ABSENT, "it does not read a sum of binary convolutions")
    # The largest subgraph that reads a sum: what belongs to it is evaluated by the runtime's kernels.
    for subgraph in reversed([ElementwiseSubgraph(data, data, []), *subgraphs(graph, data)]):
        try:
            total = sum_of_bconvs(graph, subgraph.source)
            outputs = [subgraph.source, *(inner.output for inner in subgraph.operators)]
            graph.check_unshared(outputs, (reader, *subgraph.operators))
        except NoMatch as why:
            reason = why
            continue
        if len(total.terms) == 1 and reader is root and total.offset.ndim == 1:
            raise NoMatch(RefusalCode.PATTERN_ABSENT, "one binary convolution writes bits by a threshold of its own")
        return _Found(total, subgraph, reader)
    raise reason


def _is_exact(total: SumOfBconvs, grid: Grid) -> bool:
    """Whether it is computed without rounding as it is."""
    return bool((grid.counts * grid.unit == [term.multiplier for term in total.terms]).all()) and is_exact_sum(
        [(term.bconv, term.multiplier) for term in total.terms], total.offset
    )


def _pixels(offset: Array) -> tuple[Array, Array | None]:
    """The different rows of an offset, float64 [P, O], and which one each pixel has, int [1, H, W]."""
    if offset.ndim == 1:
        return offset[None], None
    rows, row_of = np.unique(offset.reshape(-1, offset.shape[-1]), axis=0, return_inverse=True)
    return rows, row_of.reshape(offset.shape[:-1])


def _thresholds(subgraph: ElementwiseSubgraph, grid: Grid, pixels: Array) -> tuple[Array, Array]:
    """Which channels fall, bool [O], and what is added to k, or to -k where they fall: float64 [P, O]."""
    evaluate = subgraph.evaluator() if subgraph.operators else None
    if evaluate is not None and monotonicity(subgraph) is None:
        raise NoMatch(RefusalCode.NOT_A_STEP, "what stands between it and its sum is not known to be monotone")

    def values(k: Array) -> Array:
        sums = (grid.unit * k + pixels).astype(np.float32)
        return sums if evaluate is None else evaluate(sums)

    low, high = np.full(pixels.shape, -grid.most), np.full(pixels.shape, grid.most)
    ends = [values(low), values(high)]
    if not np.isfinite(ends).all():
        raise NoMatch(RefusalCode.OVERFLOW, "what stands between it and its sum overflows float32")
    first, last = (end < 0 for end in ends)
    falls = (last & ~first).any(0)
    if (falls & (first & ~last).any(0)).any():
        raise NoMatch(RefusalCode.NOT_A_STEP, "a channel rises in one pixel and falls in another")
    while (high - low > 1).any():
        middle = (low + high) // 2
        as_first = (values(middle) < 0) == first
        low, high = np.where(as_first, middle, low), np.where(as_first, high, middle)
    shift = np.where(falls, high - 0.5, 0.5 - high)
    always = np.where(first, -grid.most - 0.5, grid.most + 0.5)
    return falls, np.where(first == last, always, shift)


def _put(graph: Graph, found: _Found, counts: Array, shift: Array, pixel_of: Array | None) -> None:
    total, old = found.total, found.subgraph.output
    graph.remove(*found.subgraph.operators, *total.operators)  # first: they are not to be used again
    rewriter = Rewriter(graph, found.reader)
    result: Tensor | None = None
    for term, multiplier in zip(total.terms, counts, strict=True):
        bias = shift[0] if result is None and pixel_of is None else np.zeros(len(multiplier))
        output = Tensor.of(term.bconv.output.name, term.bconv.output.shape, np.float32)
        parameters = [
            Tensor.constant(name, values.astype(np.float32))
            for name, values in (("multiplier", multiplier), ("bias", bias))
        ]
        replaced(graph, term.bconv, output, [term.bconv.inputs[1], *parameters, None])
        result = output if result is None else rewriter.elementwise("ADD", result, output)
    assert result is not None
    if pixel_of is not None:
        result = rewriter.elementwise(
            "ADD", result, border_map.put(rewriter, result.name, shift[pixel_of].astype(np.float32))
        )
    graph.set_inputs(found.reader, [result if tensor is old else tensor for tensor in found.reader.inputs])
