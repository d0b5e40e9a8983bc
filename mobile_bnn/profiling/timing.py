"""The loops that time inferences: warming up until times are stable, then as many runs as are asked for."""

import time
from array import array
from collections.abc import Callable
from statistics import median

FEWEST_RUNS = 5

# When a warm-up ends by itself: a clock that rises, caches that fill and pages that are mapped first make it slower.
_WINDOW = 5  # latencies, compared with as many before
_CLOSE = 0.02  # how far apart their medians may be
_LEAST_NS = 50_000_000  # a clock may take that long to rise
_SHARE = 0.25  # of the time that the whole measurement has


def warm_up(invoke: Callable[[], None], count: int | None, max_seconds: float) -> int:
    """Runs inferences that do not count, and returns how many.

    Args:
        invoke: runs one inference.
        count: how many, as long as half of the time is not over, so that a slow model still gets more runs than the
            fewest; None: until they are stable.
        max_seconds: what warm-up and runs have together.
    """
    if count is not None:
        return len(time_runs(invoke, count, max_seconds=max_seconds / 2))
    began = now = time.perf_counter_ns()
    end = began + int(max_seconds * _SHARE * 1e9)
    last = array("q")
    done = 0
    while now < end and (now - began < _LEAST_NS or not _is_stable(last)):
        invoke()
        now, before = time.perf_counter_ns(), now
        last.append(now - before)
        del last[: -2 * _WINDOW]
        done += 1
    return done


def _is_stable(last: "array[int]") -> bool:
    if len(last) < 2 * _WINDOW:
        return False
    older, newer = median(last[:_WINDOW]), median(last[_WINDOW:])
    return abs(newer - older) <= _CLOSE * older


def time_runs(
    invoke: Callable[[], None], runs: int, *, fewest: int = 0, min_seconds: float = 0.0, max_seconds: float
) -> "array[int]":
    """Latencies in ns of `runs` inferences, and of more until `min_seconds` are over.

    After `max_seconds` there are no more than `fewest`.
    """
    latencies = array("q")
    now = time.perf_counter_ns()
    least, last = now + int(min_seconds * 1e9), now + int(max_seconds * 1e9)
    while (len(latencies) < runs or now < least) and (now < last or len(latencies) < fewest):
        invoke()
        now, before = time.perf_counter_ns(), now
        latencies.append(now - before)
    return latencies
