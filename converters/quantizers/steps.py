"""Step functions: what a quantizer of activations is, however it is written.

An element-wise subgraph that is proved monotone and takes few values is known completely by the floats at which it
jumps. They are found exactly, by bisection over the ordered float32 numbers, evaluating the subgraph itself.

What is not known to be monotone may be computed from step functions alone: then it is constant between their jumps
(pieces.py). Or it is monotone on intervals (intervals.py). What is neither, or is computed from several tensors, may
take few values all the same: then it is a step function of itself.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.bisection import LARGEST_RANK, floats_of, next_jump, steps_between
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph, Evaluator, subgraphs
from mobile_bnn.converters.quantizers.intervals import pieces_by_intervals
from mobile_bnn.converters.quantizers.monotonicity import monotonicity
from mobile_bnn.converters.quantizers.pieces import Pieces, changes_in_jumps, pieces
from mobile_bnn.converters.quantizers.value_sets import MAX_VALUES, few_values, value_set
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

MOST_COUNTED = 1024
# What is the same at both is bounded.
_HUGE, _FAR = 3e38, 1e30


@dataclass(frozen=True)
class StepFunction:
    """A monotone function of few values, per channel.

    Channel c gives `levels[i, c]` from `thresholds[i - 1, c]` on and below `thresholds[i, c]`. A channel of fewer
    steps than others has thresholds of infinity after its own, and its last level again.

    Attributes:
        subgraph: what it was found in.
        thresholds: float32 [steps, channels], rising.
        levels: float32 [steps + 1, channels], rising or falling.
    """

    subgraph: ElementwiseSubgraph
    thresholds: Array
    levels: Array

    @property
    def steps(self) -> int:
        """How often the channel that jumps most does."""
        return len(self.thresholds)

    def __call__(self, x: Array) -> Array:
        """The function's values, float32 [samples, channels], of samples of that shape."""
        index = (x[None] >= self.thresholds[:, None]).sum(0)
        return np.take_along_axis(self.levels, index, 0)


def quantizer(graph: Graph, tensor: Tensor) -> StepFunction:
    """The step function that a tensor is the output of, of itself if it is none of another tensor.

    Raises:
        NoMatch: it is none of itself either.
    """
    try:
        return step_function(graph, tensor)
    except NoMatch:
        own = own_steps(graph, tensor)
        if own is None:
            raise
        return own


def step_function(graph: Graph, tensor: Tensor) -> StepFunction:
    """Finds the quantizer that a tensor is the output of.

    Of the tensors that determine it alone, the source is the one whose function has the fewest steps, and the nearest
    of those: a sign whose argument is never 0 is binary though SIGN alone has three values. A tensor that takes few
    values itself is no source: it was quantized before.

    Raises:
        NoMatch: there is none.
    """
    best: StepFunction | None = None
    reason = NoMatch(RefusalCode.NOT_A_STEP, "no element-wise function of one tensor ends here")
    for subgraph in subgraphs(graph, tensor):
        if value_set(graph, subgraph.source) is not None:
            continue
        try:
            found = steps_of(subgraph)
        except NoMatch as why:
            reason = why
            continue
        if best is None or 0 < found.steps < best.steps:
            best = found
    if best is None:
        raise reason
    return best


def own_steps(graph: Graph, tensor: Tensor) -> StepFunction | None:
    """The identity of a float32 tensor that is proved to take few values, however they are computed."""

    def levels(each: Tensor) -> Array | None:
        try:
            return few_values(step_function(graph, each).levels)
        except NoMatch:
            return None

    if tensor.dtype != np.float32:
        return None
    values = value_set(graph, tensor, levels)
    if values is None:
        values = _values_between_jumps(graph, tensor)
    if values is None:
        return None
    subgraph = ElementwiseSubgraph(tensor, tensor, [])
    # Between two values it jumps where nothing is: at the middle, which is 0 for signs.
    middles = ((values[:-1].astype(np.float64) + values[1:]) / 2).astype(np.float32)
    thresholds = np.where(middles > values[:-1], middles, values[1:])
    columns = (np.tile(column[:, None], subgraph.channels) for column in (thresholds, values))
    return StepFunction(subgraph, *columns)


def _values_between_jumps(graph: Graph, tensor: Tensor) -> Array | None:
    """The values of a tensor that is a function of step functions of one other, in any order; None if it is not."""
    for subgraph in subgraphs(graph, tensor):
        with suppress(NoMatch):
            values = few_values(_pieces(subgraph).values)
            if values is not None:
                return values
    return None


def count_values(graph: Graph, tensor: Tensor) -> int | None:
    """How many values a tensor takes that is a quantizer's output, but of more bits than can be signs.

    Returns:
        At most `MOST_COUNTED`; None if it is unbounded, not known to be monotone, or changes otherwise than in jumps.
    """
    for subgraph in subgraphs(graph, tensor):
        producers = {operator.output: operator for operator in subgraph.operators}
        if not changes_in_jumps(producers.get, tensor) or monotonicity(subgraph) is None:
            continue
        evaluate = subgraph.evaluator()
        ends = np.array([-_HUGE, _HUGE, -_FAR, _FAR], np.float32)
        values = evaluate(np.repeat(ends[:, None], subgraph.channels, 1))
        if np.isfinite(values).all() and np.array_equal(values[:2], values[2:]):
            return int(max(_count(subgraph, evaluate)))
    return None


def _count(subgraph: ElementwiseSubgraph, evaluate: Evaluator) -> Array:
    """The number of values in each channel."""
    last = np.full(subgraph.channels, LARGEST_RANK, np.int64)
    at = -last
    level, top = evaluate(floats_of(np.stack([at, last])))
    found = np.ones(subgraph.channels, np.int64)
    while (level != top).any() and found.max() < MOST_COUNTED:
        at = next_jump(evaluate, at, level, last)
        found += level != top
        level = np.where(level == top, top, evaluate(floats_of(at[None]))[0])
    return found


def steps_of(subgraph: ElementwiseSubgraph) -> StepFunction:
    """The steps of a subgraph.

    Raises:
        NoMatch: it is not a step function of few values.
    """
    key = tuple((operator, operator.inputs) for operator in subgraph.operators)
    thresholds, levels = _found_steps(subgraph.source, subgraph.output, key)
    return StepFunction(subgraph, thresholds, levels)


@lru_cache(maxsize=256)
def _found_steps(
    source: Tensor, output: Tensor, key: tuple[tuple[Operator, tuple[Tensor | None, ...]], ...]
) -> tuple[Array, Array]:
    """Thresholds and levels of a subgraph. Several rules look at the same one, one after the other."""
    subgraph = ElementwiseSubgraph(source, output, [operator for operator, _ in key])
    if monotonicity(subgraph) is not None:
        return _by_bisection(subgraph)
    try:
        found = _steps_of_pieces(_pieces(subgraph))
    except NoMatch as reason:
        if reason.code is RefusalCode.TOO_MANY_VALUES:
            raise
        found = None
    if found is None:
        op_types = ", ".join(operator.op_type for operator in subgraph.operators)
        raise NoMatch(RefusalCode.NOT_A_STEP, f"it is not known to be monotone ({op_types})")
    return found


def _pieces(subgraph: ElementwiseSubgraph) -> Pieces:
    """Where a function jumps that is computed from monotone step functions, or is monotone on intervals.

    Raises:
        NoMatch: it is neither, or takes too many values.
    """

    def jumps(part: ElementwiseSubgraph) -> Array:
        if monotonicity(part) is None:
            raise NoMatch(RefusalCode.NOT_A_STEP, "it is not known to be monotone")
        return _by_bisection(part)[0]

    try:
        return pieces(subgraph, jumps)
    except NoMatch as reason:
        try:
            return pieces_by_intervals(subgraph)
        except NoMatch as other:
            raise reason if reason.code is RefusalCode.TOO_MANY_VALUES else other from None


def _steps_of_pieces(found: Pieces) -> tuple[Array, Array] | None:
    """Thresholds and levels of a function in pieces; None if a channel both rises and falls.

    Raises:
        NoMatch: it takes too many values.
    """
    changes = np.sign(found.values[1:] - found.values[:-1])
    if ((changes > 0).any(0) & (changes < 0).any(0)).any():
        return None
    own = [np.flatnonzero(column) for column in changes.T]
    steps = max(len(places) for places in own)
    if steps >= MAX_VALUES:
        raise NoMatch(RefusalCode.TOO_MANY_VALUES, f"it takes more than {MAX_VALUES} values")
    thresholds = np.full((steps, len(own)), np.inf, np.float32)
    levels = np.tile(found.values[-1:], (steps + 1, 1)).astype(np.float32)
    levels[0] = found.values[0]
    for channel, places in enumerate(own):
        thresholds[: len(places), channel] = found.jumps[places, channel]
        levels[1 : len(places) + 1, channel] = found.values[places + 1, channel]
    return thresholds, levels


def _by_bisection(subgraph: ElementwiseSubgraph) -> tuple[Array, Array]:
    """Thresholds and levels of a subgraph that is known to be monotone.

    Raises:
        NoMatch: it takes too many values.
    """
    last = np.full(subgraph.channels, LARGEST_RANK, np.int64)
    return steps_between(subgraph.evaluator(), -last, last)
