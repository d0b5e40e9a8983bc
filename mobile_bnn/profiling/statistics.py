"""Intervals of medians and of their ratios, which are not too narrow where the processes that measured differ.

Runs of one process are alike: they share where the memory lies, what else runs and how warm the chip is. Thousands of
them tell a process's median to a millesimal, and the next process is two percent off. So what is drawn are rounds, which
are processes: the logarithm of a session's median is its own plus Student's t of its rounds' medians, with one degree of
freedom less than there are rounds (the parametric bootstrap of a mean; Davison and Hinkley, "Bootstrap Methods and their
Application", 1997, sections 2.2 and 3.8). A process alone is cut into consecutive batches that take the rounds' place
(the batch means of Law, "Simulation Modeling and Analysis", section 9.5.3), so that a drift widens the interval too; how
other processes differ it cannot tell. A ratio of two sessions draws both, which is the Behrens-Fisher interval: with few
rounds it is wider than needed rather than too narrow. All is seeded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_DRAWS = 20_000
_SEED = 0
_BATCHES, _IN_BATCH = 10, 5  # how many, and the fewest runs in one
_LEAST_MS = 1e-9  # a clock may tell 0, which has no logarithm


def median_interval(
    latencies: Sequence[float] | Array, rounds: Sequence[int] | None = None, confidence: float = 0.95
) -> tuple[float, float]:
    """The ends of the median's interval, in the latencies' unit.

    Args:
        latencies: in order of time, one at least.
        rounds: how many of them each round has; by default all are of one.
        confidence: the share of such intervals that hold the true median.
    """
    values = _positive(latencies)
    middle = float(np.median(values))
    low, high = _ends(_drawn(values, rounds, 0.5, np.random.default_rng(_SEED)), confidence)
    return middle * min(low, 1.0), middle * max(high, 1.0)


@dataclass(frozen=True)
class Change:
    """How a figure changed: `ratio` is new through old, with its interval."""

    ratio: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 1: no change."""
        return not self.low <= 1.0 <= self.high


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
    generator = np.random.default_rng(_SEED)
    drawn = _drawn(after, new_rounds, share, generator) / _drawn(before, old_rounds, share, generator)
    ratio = float(np.quantile(after, share) / np.quantile(before, share))
    low, high = _ends(drawn, confidence)
    return Change(ratio, ratio * min(low, 1.0), ratio * max(high, 1.0))


def _positive(latencies: Sequence[float] | Array) -> Array:
    return np.maximum(np.asarray(latencies, np.float64), _LEAST_MS)


def _drawn(values: Array, rounds: Sequence[int] | None, share: float, generator: np.random.Generator) -> Array:
    """Drawn quantiles through the measured one: [draws], around 1."""
    groups = _groups(values, rounds)
    number = len(groups)
    if number == 1:
        return _redrawn(np.sort(values), share, generator) / np.quantile(values, share)
    logarithms = np.log([np.quantile(each, share) for each in groups])
    spread = logarithms.std(ddof=1) / np.sqrt(number)
    return np.asarray(np.exp(spread * generator.standard_t(number - 1, _DRAWS)), np.float64)


def _groups(values: Array, rounds: Sequence[int] | None) -> list[Array]:
    """The latencies of each round, or of consecutive batches of one; all of them where there are too few."""
    counts = [count for count in rounds or [] if count > 0]
    if len(counts) < 2:
        return np.array_split(values, max(1, min(_BATCHES, len(values) // _IN_BATCH)))
    # Of a sample of the latencies the counts are not theirs: in proportion.
    ends = np.array(list(accumulate(counts))) * len(values) / sum(counts)
    return [part for part in np.split(values, ends[:-1].round().astype(np.intp)) if len(part)]


def _redrawn(values: Array, share: float, generator: np.random.Generator) -> Array:
    """Quantiles of samples of sorted values, drawn with replacement and as many.

    The rank of such a quantile is that of one of n uniform ranks, which has a beta distribution: one number is drawn
    for each quantile instead of n.
    """
    size = len(values)
    ranks = generator.beta(share * (size + 1), (1 - share) * (size + 1), _DRAWS)
    places = np.minimum((ranks * size).astype(np.intp), size - 1)
    return np.asarray(values[places], np.float64)


def _ends(drawn: Array, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return float(low), float(high)
