"""Filters of few values as sums of binary filters: w = sum over k of scale_k * sign_k + offset, per output channel.

Two values {l, u} are (u - l) / 2 * sign + (u + l) / 2. Values on a grid of 2^k evenly spaced points are k such terms,
whose scales double: the point number i has the signs of i's binary digits. Ternary filters {-s, 0, s} are two terms of
scale s / 2, whose signs differ where the weight is 0. Four values that lie symmetrically around their middle, such as
those of ABC-Net, are two terms of any scales a and b: the outer ones are +-(a + b), the inner ones +-(a - b). More
terms of any scales: subset_sums.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from mobile_bnn.converters.quantizers.subset_sums import subset_sums
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

MAX_BITS = 4
# Values count as equal if they differ by a few roundings of the channel's largest: quantizers compute them in float32.
_TOLERANCE = 2e-6
# Weights that are looked at together: what is computed of them stays in the cache, whatever the filter's size.
_BLOCK = 2**16


@dataclass(frozen=True)
class Base:
    """One binary filter.

    Attributes:
        signs: bool [O, ...], True for -1.
        scale: float32 [O], not negative.
    """

    signs: Array
    scale: Array


@dataclass(frozen=True)
class BinaryWeights:
    """A filter as a sum of binary ones.

    Attributes:
        bases: the terms, the one of the largest scale first; one for binary weights.
        offset: float32 [O], what every weight of a channel has besides; 0 unless its values are lopsided.
    """

    bases: list[Base]
    offset: Array

    def values(self) -> Array:
        """The filter that this is, float32 [O, ...]."""
        shape = (-1,) + (1,) * (self.bases[0].signs.ndim - 1)
        terms = [np.where(base.signs, -1, 1) * base.scale.astype(np.float64).reshape(shape) for base in self.bases]
        return np.asarray(sum(terms) + self.offset.astype(np.float64).reshape(shape), np.float32)


def binary_weights(weights: Array) -> BinaryWeights:
    """Takes a filter apart.

    Args:
        weights: float32 [O, ...], output channels first.

    Returns:
        The sum, whose values() differ from the weights by a few roundings at most.

    Raises:
        NoMatch: there is none.
    """
    if weights.size == 0:
        raise NoMatch(RefusalCode.FILTER_EMPTY, "the filter is empty")
    rows = weights.reshape(len(weights), -1)
    if (plain := _plain(rows)) is not None:
        signs, scale = plain
        return BinaryWeights([Base(signs.reshape(weights.shape), scale)], np.zeros_like(scale))
    if not np.isfinite(rows).all():
        raise NoMatch(RefusalCode.FILTER_NOT_FINITE, "the filter holds numbers that are not finite")
    for bits in range(1, MAX_BITS + 1):
        found = _by_blocks(rows, partial(_grid, bits=bits))
        if found is None and bits in _OTHERS:
            found = _by_blocks(rows, _OTHERS[bits])
        if found is not None:
            terms, offset = found
            return _of_terms(terms, offset, weights.shape)
    if found := _by_blocks(rows, partial(subset_sums, most=MAX_BITS)):
        terms, offset = found
        return _of_terms([(signs, scale) for signs, scale in terms if scale.any()], offset, weights.shape)
    counts: list[int] = []
    for row in rows:
        counts.append(len(np.unique(row)))
        if counts[-1] > 2**MAX_BITS:
            break
    channel = int(np.argmax(counts))
    text = f"channel {channel} has {counts[channel]} values that are on no grid of up to {2**MAX_BITS}"
    raise NoMatch(RefusalCode.FILTER_NOT_FEW_VALUED, text)


def _of_terms(terms: list[tuple[Array, Array]], offset: Array, shape: tuple[int, ...]) -> BinaryWeights:
    bases = [Base(signs.reshape(shape), scale.astype(np.float32)) for signs, scale in terms]
    return BinaryWeights(bases, offset.astype(np.float32))


def _plain(rows: Array) -> tuple[Array, Array] | None:
    """Threshold and scale of channels that hold exactly -s and s: the usual case, in a fraction of the others' time."""
    scale = np.abs(rows[:, 0])
    if not np.isfinite(scale).all():
        return None
    signs = np.empty(rows.shape, bool)
    count = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), count):
        here = slice(start, start + count)
        if (np.abs(rows[here]) != scale[here, None]).any():
            return None
        np.less(rows[here], 0, out=signs[here])
    return signs, scale


_Terms = tuple[list[tuple[Array, Array]], Array]


def _by_blocks(rows: Array, find: Callable[[Array, Array, Array, Array], _Terms | None]) -> _Terms | None:
    """Takes a few channels at a time apart in float64; None from the first that are not of that kind."""
    count = max(1, _BLOCK // rows.shape[1])
    terms: list[tuple[Array, Array]] = []
    offset = np.empty(len(rows))
    for start in range(0, len(rows), count):
        here = slice(start, start + count)
        block = rows[here].astype(np.float64)
        low, high = block.min(1), block.max(1)
        found = find(block, low, high, _TOLERANCE * np.maximum(np.abs(low), np.abs(high)))
        if found is None:
            return None
        if not terms:
            terms = [(np.empty(rows.shape, bool), np.empty(len(rows))) for _ in found[0]]
        offset[here] = found[1]
        for (signs, scale), part in zip(terms, found[0], strict=True):
            signs[here], scale[here] = part
    return terms, offset


def _grid(rows: Array, low: Array, high: Array, tolerance: Array, bits: int) -> _Terms | None:
    """All channels on grids of 2^bits points; a channel may lack some, also the first and the last."""
    points = 2**bits
    intervals = _intervals(rows, low, high, tolerance, points - 1)
    if intervals is None:
        return None
    # A channel of one value s is a binary one of scale |s|, without an offset.
    single = high - low <= tolerance
    half = np.where(single, np.abs(high), (high - low) / (2 * np.maximum(intervals, 1)))
    safe = np.where(half == 0, 1.0, half)
    # Where the grid may stand, in half steps from its middle; symmetric around 0 if it can be.
    wanted = np.rint(low / safe).astype(np.int64)
    lowest, highest = 1 - points, points - 1 - 2 * intervals
    fits = (wanted >= lowest) & (wanted <= highest) & ((wanted - lowest) % 2 == 0)
    first = np.where(fits & (np.abs(low - wanted * half) <= tolerance), wanted, lowest)
    middle = np.where(np.abs(low - first * half) <= tolerance, 0.0, low - first * half)
    digits = np.rint(((rows - middle[:, None]) / safe[:, None] + points - 1) / 2).astype(np.int64).clip(0, points - 1)
    terms = [((digits >> bit & 1) == 0, half * 2**bit) for bit in reversed(range(bits))]
    return terms, middle


def _intervals(rows: Array, low: Array, high: Array, tolerance: Array, most: int) -> Array | None:
    """The fewest even steps from each channel's least to its greatest value on whose ends all its values lie."""
    found = np.where(high - low <= tolerance, 0, most + 1)
    for count in range(most, 0, -1):
        step = np.where(high > low, high - low, 1.0)[:, None] / count
        off = rows - low[:, None] - np.rint((rows - low[:, None]) / step) * step
        found = np.where((np.abs(off) <= tolerance[:, None]).all(1) & (found > 0), count, found)
    return None if (found > most).any() else found


def _ternary(rows: Array, low: Array, high: Array, tolerance: Array) -> _Terms | None:
    """All channels of some of the values -s, 0 and s."""
    scale = np.maximum(np.abs(low), np.abs(high))
    zero = np.abs(rows) <= tolerance[:, None]
    if not (zero | (np.abs(np.abs(rows) - scale[:, None]) <= tolerance[:, None])).all():
        return None
    return [(rows < -tolerance[:, None], scale / 2), (rows <= tolerance[:, None], scale / 2)], np.zeros_like(scale)


def _two_pairs(rows: Array, low: Array, high: Array, tolerance: Array) -> _Terms | None:
    """All channels of up to four values that lie symmetrically around a middle."""
    middle = (low + high) / 2
    outer = (high - low) / 2
    distance = np.abs(rows - middle[:, None])
    outside = np.abs(distance - outer[:, None]) <= tolerance[:, None]
    inner = np.where(outside, outer[:, None], distance).min(1)
    if not (outside | (np.abs(distance - inner[:, None]) <= tolerance[:, None])).all():
        return None
    below = rows < middle[:, None]
    middle = np.where(np.abs(middle) <= tolerance, 0.0, middle)
    return [(below, (outer + inner) / 2), (below == outside, (outer - inner) / 2)], middle


# What is tried besides the grids of so many bits.
_OTHERS = {1: _ternary, 2: _two_pairs}
