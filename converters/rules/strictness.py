"""Whether signs survive when a constant moves into binary convolutions.

A sign depends on the last bit of what it is taken of: x > 0 is the sign of x less the smallest normal float, and x > t
that of x less the float after t. Inside a binary convolution such a constant is added to larger numbers, and what does
not fit float32's 24 bits is rounded away. So a constant whose sum goes to a sign directly moves only where

* every step is exact: all numbers are multiples of one power of two, and few enough of them come together; or
* no value of the sum, unit * k + offset, is nearer to 0 than rounding can move it. A sum whose multipliers have no
  common unit is rounded in the float file as well, but for the one of convolutions that are all 0: that must not be; or
* the offset is 0 and there is one convolution: (multiplier * terms) - 2 * multiplier * accumulator is 0 where the sum
  is, since both products are then one number.
"""

from collections.abc import Sequence

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.converters.rules.affine import is_exact_sum
from mobile_bnn.converters.rules.bconv import terms_of
from mobile_bnn.converters.rules.sum_of_bconvs import Term, grid_of
from mobile_bnn.typing import Array

# What moves values, or takes the largest of some, and so leaves signs what they are.
_MOVES = frozenset(
    {"CONCATENATION", "EXPAND_DIMS", "GATHER", "MAX_POOL_2D", "PAD", "PADV2", "RESHAPE", "SLICE", "SPLIT", "SPLIT_V"}
    | {"DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK"}
)
_ROUNDINGS = 2.0**-21  # of all terms together: those of the kernels' three steps and of the additions after them


def check_signs(graph: Graph, result: Tensor, terms: Sequence[tuple[Operator, Array]], offset: Array) -> None:
    """Checks that the signs of a tensor survive when binary convolutions with another bias compute it.

    Args:
        graph: is not changed.
        result: what is computed.
        terms: the binary convolutions and their multipliers, float64 [O].
        offset: what is added to their sum, float64 [..., O], or NaN where float64 does not hold it.

    Raises:
        NoMatch: a sign reads it, and may be another one.
    """
    if not _reaches_sign(graph, result):
        return
    sums = [Term(bconv, np.broadcast_to(multiplier, offset.shape[-1:])) for bconv, multiplier in terms]
    if np.isfinite(offset).all():
        if is_exact_sum([(term.bconv, term.multiplier) for term in sums], offset):
            return
        if len(sums) == 1 and not offset.any():
            return
        sizes = np.array([terms_of(term.bconv) for term in sums], np.float64)
        largest = sum(np.abs(term.multiplier) * size for term, size in zip(sums, sizes, strict=True)) + np.abs(offset)
        if (_nearest_to_zero(sums, offset) > largest * _ROUNDINGS).all():
            return
    raise NoMatch(RefusalCode.ROUNDING, "a sign of its result would depend on how its sum is rounded")


def _nearest_to_zero(sums: Sequence[Term], offset: Array) -> Array:
    """How near to 0 a sum comes, float64 in the offset's shape; of one on no grid, where its convolutions give 0."""
    try:
        grid = grid_of(sums)
    except NoMatch:
        return np.abs(offset)
    # A channel of multipliers 0 has one value.
    unit = np.where(grid.counts.any(0), grid.unit, np.inf)
    nearest = np.clip(np.rint(-offset / unit), -grid.most, grid.most)
    distance: Array = np.abs(offset + nearest * np.where(np.isinf(unit), 0, unit))
    return distance


def exact_sum(*parts: Array) -> Array:
    """The sum of float64 arrays that broadcast, NaN where float64 does not hold it."""
    total = np.zeros(1)
    for part in parts:
        before, total = total, total + part
        back = total - before
        lost = (before - (total - back)) + (part - back)
        total = np.where(lost == 0, total, np.nan)
    return total


def _reaches_sign(graph: Graph, tensor: Tensor) -> bool:
    left, seen = [tensor], {tensor}
    while left:
        for reader in graph.consumers(left.pop()):
            if reader.op_type == "LceQuantize":
                return True
            if reader.op_type in _MOVES and not getattr(reader.options, "fusedActivationFunction", 0):
                new = [output for output in reader.outputs if output not in seen]
                seen.update(new)
                left += new
    return False
