"""Intervals of medians: how often they hold the truth, and how often a change is seen that is there, or is not."""

import time

import numpy as np
import pytest

from mobile_bnn.profiling.statistics import change, median_interval

SESSIONS = 300


def session(generator: np.random.Generator, rounds: int, between: float, speed: float = 1.0) -> "np.ndarray":
    """Latencies whose true median is `speed`: 40 in each round, and the rounds are apart by a share `between`."""
    return np.concatenate(
        [speed * np.exp(generator.normal(0, between)) * generator.lognormal(0, 0.05, 40) for _ in range(rounds)]
    )


@pytest.mark.parametrize(("rounds", "between"), [(1, 0.0), (3, 0.0), (3, 0.01), (5, 0.01)])
def test_intervals_hold_the_truth_and_few_changes_are_false(rounds: int, between: float) -> None:
    generator, counts = np.random.default_rng(1), [40] * rounds
    held = false = seen = 0
    for _ in range(SESSIONS):
        first, second = session(generator, rounds, between), session(generator, rounds, between)
        slower = session(generator, rounds, between, 1.05)
        low, high = median_interval(first, counts)
        held += low <= 1 <= high
        false += change(first, second, old_rounds=counts, new_rounds=counts).significant
        seen += change(first, slower, old_rounds=counts, new_rounds=counts).significant
    assert held / SESSIONS > 0.92
    assert false / SESSIONS < 0.08
    assert seen / SESSIONS > 0.8


def test_rounds_that_are_apart_make_it_wide() -> None:
    generator = np.random.default_rng(2)
    apart = np.concatenate([generator.normal(level, 0.001, 100) for level in (1.0, 1.1, 1.2)])
    low, high = median_interval(apart, [100, 100, 100])
    assert low < 1.05
    assert high > 1.15
    blind = median_interval(generator.permutation(apart))
    assert low < blind[0] or high > blind[1]


def test_a_hundred_thousand_latencies_take_no_time() -> None:
    values = np.random.default_rng(0).lognormal(size=100_000)
    began = time.perf_counter()
    low, high = median_interval(values, [33_334, 33_333, 33_333])
    assert time.perf_counter() - began < 1.0
    assert 0.97 < low < np.median(values) < high < 1.03


def test_it_is_seeded_and_holds_the_median() -> None:
    values = [1.0, 2.0, 9.0]
    assert median_interval(values) == median_interval(values)
    low, high = median_interval(values)
    assert low <= 2.0 <= high
    assert median_interval([4.0]) == (4.0, 4.0)
    assert median_interval([4.0, 4.0], [1, 1]) == (4.0, 4.0)


def test_a_sample_of_very_many_runs_is_split_as_its_rounds_were() -> None:
    """The record keeps 1,000 latencies, and the numbers of all runs."""
    apart = np.repeat([1.0, 1.1, 1.2], [500, 250, 250])
    assert median_interval(apart, [50_000, 25_000, 25_000]) == median_interval(apart, [500, 250, 250])
