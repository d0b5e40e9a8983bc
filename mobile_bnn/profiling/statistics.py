"""Intervals of medians and of their ratios, which are not too narrow where the processes that measured differ.

Runs of one process are alike: they share where the memory lies, what else runs and how warm the chip is. Thousands of
them tell a process's median to a tenth of a percent, and the next process is two percent off. So what counts are
rounds, which are processes: the logarithm of a session's median varies as Student's t of its rounds' medians, from
which it is drawn (the parametric bootstrap of a mean; Davison and Hinkley, "Bootstrap Methods and their Application",
1997, sections 2.2 and 3.8). The ratio of two sessions takes both spreads, with the degrees of freedom of Welch ("The
generalization of 'Student's' problem", Biometrika 34, 1947). A process alone is cut into consecutive batches that take
the rounds' place (batch means; Law, "Simulation Modeling and Analysis"), so that a drift widens the interval too; how
other processes differ it cannot tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_DRAWS = 20_000
_SEED = 0
_BATCHES = 10
_TAIL = 5  # runs of a round or a batch that tell a p90, at least
_LEAST_MS = 1e-9  # a coarse clock may tell 0, which has no logarithm


def median_interval(
    latencies: Sequence[float] | Array, rounds: Sequence[int] | None = None, confidence: float = 0.95
) -> tuple[float, float]:
    """The ends of the median's interval, in the latencies' unit; of a single latency both are that one.

    Args:
        latencies: in order of time, one at least.
        rounds: how many of them each round has; by default all are of one.
        confidence: the share of such intervals that hold the true median.
    """
    values = _positive(latencies)
    middle, factor = float(np.median(values)), _factor([_spread(values, rounds, 0.5)], confidence)
    return (middle / factor, middle * factor) if factor else (middle, middle)


@dataclass(frozen=True)
class Change:
    """How a figure changed: `ratio` is new through old; its interval is None where there are too few to tell one."""

    ratio: float
    low: float | None
    high: float | None

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 1: no change."""
        return self.low is not None and self.high is not None and not self.low <= 1.0 <= self.high


def change(
    old: Sequence[float] | Array,
    new: Sequence[float] | Array,
    *,
    old_rounds: Sequence[int] | None = None,
    new_rounds: Sequence[int] | None = None,
    share: float = 0.5,
    confidence: float = 0.95,
) -> Change:
    """The ratio of two medians, new through old, with its interval.

    Args:
        old: latencies in order of time, one at least.
        new: likewise.
        old_rounds: how many of them each round has; by default all are of one.
        new_rounds: likewise.
        share: of another quantile than the median: 0.9 for p90.
        confidence: the share of such intervals that hold the true ratio.
    """
    before, after = _positive(old), _positive(new)
    ratio = float(np.quantile(after, share) / np.quantile(before, share))
    spreads = [_spread(before, old_rounds, share), _spread(after, new_rounds, share)]
    factor = _factor(spreads, confidence)
    return Change(ratio, ratio / factor, ratio * factor) if factor else Change(ratio, None, None)


@dataclass(frozen=True)
class _Spread:
    """The variance of the logarithm of a session's quantile, and how many degrees of freedom tell it."""

    variance: float
    freedom: int


def _positive(latencies: Sequence[float] | Array) -> Array:
    return np.maximum(np.asarray(latencies, np.float64), _LEAST_MS)


def _spread(values: Array, rounds: Sequence[int] | None, share: float) -> _Spread:
    least = 1 if share == 0.5 else _TAIL
    groups = _groups(values, rounds, least)
    if len(groups) < 2 or min(map(len, groups)) < least:
        return _Spread(0.0, 0)
    logarithms = np.log([np.quantile(each, share) for each in groups])
    return _Spread(float(logarithms.var(ddof=1)) / len(groups), len(groups) - 1)


def _groups(values: Array, rounds: Sequence[int] | None, least: int) -> list[Array]:
    """The latencies of each round, or of consecutive batches of one, of so many runs at least."""
    counts = [count for count in rounds or [] if count > 0]
    if len(counts) < 2:
        return np.array_split(values, max(1, min(_BATCHES, len(values) // least)))
    # Of a sample of the latencies the counts are not theirs: in proportion.
    ends = np.array(list(accumulate(counts))) * len(values) / sum(counts)
    return [part for part in np.split(values, ends[:-1].round().astype(np.intp)) if len(part)]


def _factor(spreads: Sequence[_Spread], confidence: float) -> float | None:
    """By how much a ratio may be off, either way: 1 or above; None where a session tells no spread."""
    if any(each.freedom == 0 for each in spreads):
        return None
    variance = sum(each.variance for each in spreads)
    if variance == 0:
        return 1.0
    freedom = variance**2 / sum(each.variance**2 / each.freedom for each in spreads)
    drawn = np.abs(np.random.default_rng(_SEED).standard_t(freedom, _DRAWS))
    return float(np.exp(min(np.sqrt(variance) * np.quantile(drawn, confidence), 700.0)))
