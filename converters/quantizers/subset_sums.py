"""Channels of few values on no grid: least value plus the sum of any of a few steps, as ABC-Net and LQ-Nets have them.

A sum of binary filters of scales a, b, c takes the values -a - b - c + (some of 2a, 2b, 2c). From the least value up,
each value is either such a sum of the steps that are known by then, or the next step itself. Filters whose terms depend
on each other, as ABC-Net's three signs of one weight with different shifts, have fewer values: three steps make four,
one after the other, and what lies symmetrically around 0 needs nothing else.
"""

import numpy as np

from mobile_bnn.typing import Array

_OCCURRENCES = 2  # of each value: so often no value of a float filter occurs, be its channels ever so small


def subset_sums(rows: Array, low: Array, high: Array, tolerance: Array, most: int) -> "Found | None":
    """All channels as sums of up to so many binary filters.

    Args:
        rows: float64 [O, N].
        low: the least value of each channel.
        high: the greatest.
        tolerance: within which values of a channel are equal.
        most: how many terms are returned, those of scale 0 at the end.

    Returns:
        Signs bool [O, N], True for -1, and scales [O] of each term; and what every weight of a channel has besides [O].
        None if a channel is not such a sum, or has a value only once.
    """
    signs, scales = np.zeros((most, *rows.shape), bool), np.zeros((most, len(rows)))
    middle = np.zeros(len(rows))
    for channel, row in enumerate(rows):
        if high[channel] - low[channel] <= tolerance[channel]:  # one value s is a binary filter of scale |s|
            signs[0, channel], scales[0, channel] = row < 0, abs(high[channel])
            continue
        steps = _steps(row, tolerance[channel], most)
        if steps is None:
            return None
        chosen = np.abs(row[:, None] - low[channel] - _sums(steps)).argmin(1)
        signs[: len(steps), channel] = [chosen >> bit & 1 == 0 for bit in range(len(steps))]
        scales[: len(steps), channel] = steps / 2
        middle[channel] = low[channel] + steps.sum() / 2
    return list(zip(signs, scales, strict=True)), np.where(np.abs(middle) <= tolerance, 0.0, middle)


Found = tuple[list[tuple[Array, Array]], Array]


def _steps(row: Array, tolerance: float, most: int) -> Array | None:
    """What the values of a channel are sums of besides the least one: the largest first."""
    values, counts = np.unique(row, return_counts=True)
    if len(values) > row.size // _OCCURRENCES:
        return None
    first = np.append(True, np.diff(values) > tolerance)
    if first.sum() > 2**most or (np.add.reduceat(counts, np.flatnonzero(first)) < _OCCURRENCES).any():
        return None
    found = np.zeros(0)
    values = values[first] - values[0]
    for value in values:
        if (np.abs(_sums(found) - value) > tolerance).all():
            if len(found) == most:
                return None
            found = np.append(value, found)
    return np.sort(np.diff(values))[::-1] if len(values) - 1 <= len(found) else found


def _sums(steps: Array) -> Array:
    """Of those of the steps whose bits are 1 in the place of each sum."""
    digits = np.arange(2 ** len(steps))[:, None] >> np.arange(len(steps)) & 1
    return np.asarray(digits @ steps)
