"""What stands between a binary convolution and a sign becomes a threshold of its sum.

Multiplier, bias and the element-wise operators after them are evaluated, by the runtime's own kernels, for every sum
that there can be; of what is proved to be monotone, by bisection. Where each channel's sign changes once at most, the
sum alone decides it:

    sum >= t   =>  +1, else -1    where it rises
    -sum >= t  =>  +1, else -1    where it falls: the filter of that channel is turned around

LceBconv2d then writes bits by the threshold of its accumulator, (terms - sum) / 2. Where the padding is 0, LCE's
kernels write floats only: sum - t + 1/2 has the same sign, and is exact.
"""

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.quantizers.elementwise import ElementwiseSubgraph, producer_above
from mobile_bnn.converters.quantizers.monotonicity import monotonicity
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.bconv import (
    accumulator_values,
    clamped,
    negated_outputs,
    pads_with_zeros,
    replaced,
    scale_and_bias,
)
from mobile_bnn.typing import Array

ROOTS = frozenset({"LceQuantize"})
_AT_ONCE = 1 << 20  # values that are evaluated together


def rewrite(graph: Graph, root: Operator) -> None:
    """Gives an LceBconv2d before an LceQuantize, and before element-wise operators in between, a threshold.

    Raises:
        NoMatch: there is none, others read its result, or a channel changes its sign more than once.
    """
    bconv, subgraph = producer_above(graph, root, "LceBconv2d")
    parameters = scale_and_bias(bconv)
    zeros = pads_with_zeros(bconv)
    if zeros and not subgraph.operators:
        raise NoMatch(RefusalCode.LCE_LIMIT, "LCE's kernels write floats only where the padding is 0")
    graph.check_unshared([bconv.output, *(inner.output for inner in subgraph.operators)], (root, *subgraph.operators))
    results = clamped(bconv, accumulator_values(bconv))
    falls, below = _changes(results, _SignArgument(*parameters, subgraph))
    graph.remove(*subgraph.operators)
    if zeros:
        middle = len(results) // 2
        sign = Tensor.constant("multiplier", np.where(falls, -1, 1).astype(np.float32))
        shift = Tensor.constant("bias", (middle - below + 0.5).astype(np.float32))
        replaced(graph, bconv, subgraph.output, [bconv.inputs[1], sign, shift, None])
    else:
        graph.remove(root)
        threshold = Tensor.constant("threshold", (len(results) - 1 - below).astype(np.int32))
        inputs = [negated_outputs(bconv, falls), None, None, threshold]
        replaced(graph, bconv, root.output, inputs, fused_activation_function=0)


class _SignArgument:
    """What is done to the results of a binary convolution until their sign is taken."""

    def __init__(self, multiplier: Array, bias: Array, subgraph: ElementwiseSubgraph) -> None:
        self._multiplier, self._bias, self._cone = multiplier, bias, subgraph
        self._evaluate = subgraph.evaluator() if subgraph.operators else None

    @property
    def monotone(self) -> bool:
        """Whether it is proved that no channel both rises and falls, as long as no number overflows."""
        return self._evaluate is None or monotonicity(self._cone) is not None

    def __call__(self, results: Array) -> Array:
        """The numbers whose sign is taken: float32 [samples, O] of float64 [samples, O or 1]."""
        values = (results * self._multiplier + self._bias).astype(np.float32)
        return values if self._evaluate is None else self._evaluate(values)


def _changes(results: Array, signs: _SignArgument) -> tuple[Array, Array]:
    """Which channels become negative as the sum grows, and how many sums are negative: bool [O], int [O].

    Args:
        results: of the sums, rising, float64 [sums].
        signs: what is done to them.
    """
    ends = signs(results[[0, -1], None])
    first, last = ends < 0
    falls = last & ~first
    if np.isfinite(ends).all() and signs.monotone:
        return falls, _count_by_bisection(results, signs, first, last)
    at_once = max(1, _AT_ONCE // len(first))
    parts = [signs(results[start : start + at_once, None]) < 0 for start in range(0, len(results), at_once)]
    negative = np.concatenate(parts)
    changes = (negative[1:] != negative[:-1]).sum(0)
    if changes.max() > 1:
        text = f"channel {int(changes.argmax())} changes its sign more than once"
        raise NoMatch(RefusalCode.NOT_A_STEP, text)
    return falls, negative.sum(0)


def _count_by_bisection(results: Array, signs: _SignArgument, first: Array, last: Array) -> Array:
    """How many results are negative where the sign changes once at most."""
    low, high = np.zeros(len(first), np.int64), np.full(len(first), len(results) - 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        as_first = (signs(results[None, middle])[0] < 0) == first
        low, high = np.where(as_first, middle, low), np.where(as_first, high, middle)
    ends = np.where(first, len(results), 0)
    return np.where(first == last, ends, np.where(first, high, len(results) - high))
