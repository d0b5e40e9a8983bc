"""Whether scales that float32 holds stand in whole ratios, but for what rounding explains.

An amplitude is half the difference of two levels, so it is off by ROUNDING times the largest level at most, a scale by
as much of the largest weight of its channel, and a ratio by the sum of what its four factors are, each relative to
itself.
"""

from collections.abc import Sequence

import numpy as np

from mobile_bnn.typing import Array

# A quantizer's level or weight is what it means but for the rounding of a constant, of a product with it, of a sum and
# of the number in the file: each by half a unit in the last place at most, of the largest of them.
ROUNDING = 4 * 2.0**-24
_CERTAIN = 0.25  # that a ratio may be off by, and still be known to be whole


def whole_unit(
    products: Array, amplitudes: Sequence[float], level: float, scales: Sequence[Array], weight: Array
) -> Array | None:
    """What products of amplitudes and scales are whole multiples of, but for what rounding to float32 explains.

    The largest product keeps its value, so the others move by what they are rounded at most. Ratios so large that
    rounding would explain any of them are not whole: levels near -1 and 1 have a middle near 0, which is all rounding.

    Args:
        products: float64 [amplitudes, scales, O]; 0 where a scale is 0.
        amplitudes: half the differences of levels.
        level: the largest.
        scales: [O] each, half the differences of weights.
        weight: [O], the largest of each channel.

    Returns:
        Float64 [O], 1 where all products are 0; None if some are not whole multiples.
    """
    sizes = np.abs(products)
    least = np.where(sizes == 0, np.inf, sizes).min((0, 1))
    ratios = products / np.where(np.isinf(least), 1.0, least)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.array([[level / abs(half) + weight / np.abs(scale) for scale in scales] for half in amplitudes])
    relative = np.where(products == 0, 0, relative) * ROUNDING
    # The one that all are divided by is off, too.
    off = (relative + np.where(np.abs(ratios) == 1, relative, 0).max((0, 1))) * np.abs(ratios)
    if (off > _CERTAIN).any() or (np.abs(ratios - np.rint(ratios)) > off).any():
        return None
    largest = sizes.max((0, 1))
    return np.where(largest > 0, largest / np.maximum(np.rint(np.abs(ratios).max((0, 1))), 1), 1.0)


def whole_middle(middle: float, amplitude: float, level: float) -> float | None:
    """How many amplitudes the middle of two values is; None if that is not a whole number.

    The values may be moved by no more than what rounding moves the larger of them: far from 0 it would explain any
    number, since the amplitude is off by so much of itself.

    Args:
        middle: half their sum.
        amplitude: half their difference.
        level: the larger distance of the two from 0.
    """
    count = float(np.rint(middle / amplitude))
    return count if abs(middle - count * amplitude) <= ROUNDING * level else None
