"""Intervals hold the true median as often as they say, and changes that are none are seldom called significant."""

import numpy as np
import numpy.typing as npt
import pytest

from mobile_bnn.profiling.statistics import change, median_interval

TRIALS = 300
# Of 300 trials at 5 % each: 15 +- 3.8, so these bounds are three standard deviations away.
EXPECTED = range(4, 27)


class Machine:
    """Sessions of runs that vary by 5 %, whose processes vary by `between`, on a clock that falls by `drift`."""

    def __init__(self, between: float, drift: float = 0.0, runs: int = 40) -> None:
        self._random, self._between, self._drift, self._runs = np.random.default_rng(3), between, drift, runs

    def session(self, rounds: int, ms: float = 1.0) -> npt.NDArray[np.float64]:
        """The latencies of rounds, whose true median is `ms`."""
        levels = self._random.normal(0, self._between, rounds).repeat(self._runs)
        noise = self._random.normal(0, 0.05, len(levels))
        return ms * np.exp(levels + noise + np.linspace(-self._drift / 2, self._drift / 2, len(levels)))


@pytest.mark.parametrize(("rounds", "between"), [(1, 0.0), (2, 0.03), (3, 0.0), (3, 0.01), (3, 0.1), (5, 0.03)])
def test_intervals_miss_the_true_median_once_in_twenty(rounds: int, between: float) -> None:
    machine, missed = Machine(between), 0
    for _ in range(TRIALS):
        low, high = median_interval(machine.session(rounds), [40] * rounds)
        missed += not low <= 1.0 <= high
    assert missed in EXPECTED


@pytest.mark.parametrize(("rounds", "between"), [(1, 0.0), (3, 0.0), (3, 0.03), (5, 0.1)])
def test_false_alarms(rounds: int, between: float) -> None:
    machine, alarms, counts = Machine(between), 0, [40] * rounds
    for _ in range(TRIALS):
        old, new = machine.session(rounds), machine.session(rounds)
        alarms += change(old, new, old_rounds=counts, new_rounds=counts).significant
    assert alarms <= max(EXPECTED)  # fewer are no fault: Welch's test is a little shy of few rounds


def test_a_drift_that_both_share_is_not_an_alarm() -> None:
    machine, alarms = Machine(0.01, drift=0.05), 0
    for _ in range(TRIALS):
        old, new = machine.session(3), machine.session(3)
        alarms += change(old, new, old_rounds=[40] * 3, new_rounds=[40] * 3).significant
    assert alarms <= max(EXPECTED)


@pytest.mark.parametrize(
    ("rounds", "between", "least"), [(1, 0.0, 0.95), (3, 0.0, 0.9), (3, 0.01, 0.7), (5, 0.01, 0.9)]
)
def test_a_change_of_five_percent_is_seen(rounds: int, between: float, least: float) -> None:
    machine, seen, counts = Machine(between), 0, [40] * rounds
    for _ in range(TRIALS):
        old, new = machine.session(rounds), machine.session(rounds, 1.05)
        found = change(old, new, old_rounds=counts, new_rounds=counts)
        seen += found.significant and found.ratio > 1
    assert seen / TRIALS > least


def test_rounds_that_differ_widen_the_interval() -> None:
    alike = [1.0, 1.01, 0.99, 1.0] * 30
    apart = [ms * level for level in (0.9, 1.0, 1.1) for ms in alike[:40]]
    narrow, wide = median_interval(alike, [40, 40, 40]), median_interval(apart, [40, 40, 40])
    assert wide[1] - wide[0] > 10 * (narrow[1] - narrow[0])


def test_intervals_are_the_same_each_time_and_hold_the_median() -> None:
    session = Machine(0.02).session(3)
    low, high = median_interval(session, [40] * 3)
    assert (low, high) == median_interval(list(session), [40] * 3)
    assert low < np.median(session) < high


def test_higher_confidence_is_wider() -> None:
    session = Machine(0.02).session(3)
    assert median_interval(session, [40] * 3, 0.99)[1] > median_interval(session, [40] * 3, 0.8)[1]


def test_one_run_tells_no_interval() -> None:
    assert median_interval([2.0]) == (2.0, 2.0)
    found = change([2.0], [4.0, 4.1, 4.2])
    assert (found.low, found.high, found.significant) == (None, None, False)
    assert found.ratio == pytest.approx(2.05)


def test_a_coarse_clock() -> None:
    assert median_interval([1.0] * 50) == (1.0, 1.0)
    assert median_interval([0.0, 0.0, 0.001] * 20)[0] >= 0
    assert change([1.0] * 50, [1.0] * 50).significant is False
    assert change([1.0] * 50, [2.0] * 50).significant is True


def test_p90_is_of_the_slow_runs() -> None:
    old = Machine(0.01).session(3)
    new = np.where(np.arange(len(old)) % 5 == 0, 2.0, 1.0) * old
    counts = [40] * 3
    middle = change(old, new, old_rounds=counts, new_rounds=counts)
    slow = change(old, new, old_rounds=counts, new_rounds=counts, share=0.9)
    assert middle.ratio < 1.05
    assert not middle.significant
    assert slow.ratio > 1.5
    assert slow.significant


def test_few_runs_tell_no_interval_of_p90() -> None:
    few = [1.0, 1.1, 1.2, 1.3]
    assert change(few * 2, few * 2, share=0.9).low is None
    assert change(few, few, old_rounds=[2, 2], new_rounds=[2, 2], share=0.9).low is None
    assert change(few, few, old_rounds=[2, 2], new_rounds=[2, 2]).low is not None
    assert change(few * 3, few * 3, share=0.9).low is not None


def test_a_sample_is_split_as_its_rounds_were() -> None:
    runs = np.concatenate([np.full(500, 1.0), np.full(250, 2.0)]) * Machine(0.0, runs=750).session(1)
    sampled = runs[::3]
    assert median_interval(sampled, [500, 250])[1] == pytest.approx(median_interval(runs, [500, 250])[1], rel=0.1)
