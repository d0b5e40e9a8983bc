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


def are_whole(ratios: Array, amplitudes: Sequence[float], level: float, scales: Sequence[Array], weight: Array) -> bool:
    """Whether ratios are whole numbers, but for what rounding to float32 explains.

    Args:
        ratios: of the products of amplitudes and scales to their least, [amplitudes, scales, O]; 0 where one is 0.
        amplitudes: half the differences of levels.
        level: the largest.
        scales: [O] each, half the differences of weights.
        weight: [O], the largest of each channel.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.array([[level / abs(half) + weight / np.abs(scale) for scale in scales] for half in amplitudes])
    relative = np.where(ratios == 0, 0, relative) * ROUNDING
    # The one that all are divided by is off, too.
    least = np.where(np.abs(ratios) == 1, relative, 0).max((0, 1))
    return bool((np.abs(ratios - np.rint(ratios)) <= (relative + least) * np.abs(ratios)).all())


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
