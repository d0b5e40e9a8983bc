"""The loops that time: how long they warm up, how many runs they make."""

import time

import pytest

from mobile_bnn.profiling.timing import time_runs, warm_up


def sleeper(milliseconds: "list[float]") -> "tuple[list[float], object]":
    """An inference that takes the given times, then the last one for ever; and when it was called."""
    calls: list[float] = []

    def invoke() -> None:
        took = milliseconds[min(len(calls), len(milliseconds) - 1)]
        calls.append(took)
        until = time.perf_counter() + took / 1e3
        while time.perf_counter() < until:  # sleeping is not exact enough
            continue

    return calls, invoke


def test_a_warm_up_ends_when_times_are_stable() -> None:
    calls, invoke = sleeper([40.0, 30, 25, 20, 15, 12, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10])
    done = warm_up(invoke, None, 30.0)  # type: ignore[arg-type]
    assert done == len(calls)
    assert 14 <= done <= 40
    assert calls[-5:] == [10.0] * 5


def test_a_fast_network_is_warmed_up_for_fifty_milliseconds() -> None:
    calls, invoke = sleeper([0.1])
    began = time.perf_counter()
    warm_up(invoke, None, 30.0)  # type: ignore[arg-type]
    assert time.perf_counter() - began >= 0.05
    assert len(calls) > 100


def test_a_network_that_never_gets_stable_is_warmed_up_for_a_quarter_of_the_time() -> None:
    calls, invoke = sleeper([float(1 + number % 40) for number in range(10_000)])
    began = time.perf_counter()
    warm_up(invoke, None, 1.0)  # type: ignore[arg-type]
    assert time.perf_counter() - began == pytest.approx(0.25, abs=0.2)
    assert calls


def test_a_number_of_warm_ups_is_exact_unless_half_the_time_is_over() -> None:
    calls, invoke = sleeper([1.0])
    assert warm_up(invoke, 7, 30.0) == len(calls) == 7  # type: ignore[arg-type]
    assert 10 < warm_up(invoke, 10_000, 0.2) < 110  # type: ignore[arg-type]


def test_runs_go_on_until_the_time_is_over_and_no_longer_than_the_cap() -> None:
    _, invoke = sleeper([1.0])
    assert len(time_runs(invoke, 5, max_seconds=9)) == 5  # type: ignore[arg-type]
    # Of a busy machine each takes longer, so seconds are counted.
    assert 0.19 < sum(time_runs(invoke, 5, min_seconds=0.2, max_seconds=9)) / 1e9 < 0.4  # type: ignore[arg-type]
    assert 0.09 < sum(time_runs(invoke, 1000, max_seconds=0.1)) / 1e9 < 0.3  # type: ignore[arg-type]
    assert len(time_runs(invoke, 1000, fewest=5, max_seconds=-1)) == 5  # type: ignore[arg-type]
