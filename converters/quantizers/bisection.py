"""Finds the floats at which a function jumps, exactly: by bisection over the ordered float32 numbers.

A number's rank is its place among them: 0 is zero, 1 the least positive one, -1 its negative, and so on.
"""

from collections.abc import Callable

import numpy as np

from mobile_bnn.converters.quantizers.value_sets import MAX_VALUES
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

LARGEST_RANK = int(np.array(np.finfo(np.float32).max, np.float32).view(np.int32))

# From float32 [samples, channels] to the values there.
Function = Callable[[Array], Array]


def floats_of(ranks: Array) -> Array:
    """Float32 numbers by their ranks."""
    magnitude = np.abs(ranks).astype(np.int32).view(np.float32)
    return np.where(ranks < 0, -magnitude, magnitude).astype(np.float32)


def ranks_of(numbers: Array) -> Array:
    """The ranks of float32 numbers, int64; infinity has the one after the largest number's."""
    magnitude = np.abs(numbers.astype(np.float32)).view(np.int32).astype(np.int64)
    return np.where(numbers < 0, -magnitude, magnitude)


def next_jump(function: Function, start: Array, level: Array, last: Array) -> Array:
    """The least rank of each channel, above `start`, at which a monotone function is no longer `level`.

    Args:
        function: is `level` at `start`.
        start: ranks [channels].
        level: values [channels].
        last: ranks [channels]; where the function is `level` there, too, the result has no meaning.
    """
    low, high = start, last
    while (high - low > 1).any():
        middle = (low + high) // 2
        still = function(floats_of(middle[None]))[0] == level
        low, high = np.where(still, middle, low), np.where(still, high, middle)
    return high


def steps_between(function: Function, first: Array, last: Array) -> tuple[Array, Array]:
    """Thresholds and levels of a function that is monotone between two ranks.

    Args:
        function: float32 [samples, channels] to float32 in that shape.
        first: ranks [channels].
        last: ranks [channels], of the last number that belongs to it.

    Returns:
        Float32 [steps, channels], rising, infinite after a channel's own, and [steps + 1, channels].

    Raises:
        NoMatch: it takes too many values.
    """
    at = first
    bottom, top = function(floats_of(np.stack([first, last])))
    if not (np.isfinite(bottom) & np.isfinite(top)).all():
        raise NoMatch(RefusalCode.TOO_MANY_VALUES, "it is unbounded, or not a number somewhere")
    thresholds, levels = [], [bottom]
    while (levels[-1] != top).any():
        if len(levels) == MAX_VALUES:
            raise NoMatch(RefusalCode.TOO_MANY_VALUES, f"it takes more than {MAX_VALUES} values")
        at = next_jump(function, at, levels[-1], last)
        done = levels[-1] == top
        thresholds.append(np.where(done, np.float32(np.inf), floats_of(at)))
        levels.append(np.where(done, top, function(floats_of(at[None]))[0]))
    return np.array(thresholds, np.float32).reshape(-1, len(first)), np.array(levels, np.float32)
