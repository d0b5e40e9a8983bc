"""From the statistics that a tool prints to the fields of a measurement, where it prints no latencies."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from mobile_bnn.profiling.messages import Figures, Statistics


def stated_median(stated: Statistics) -> float:
    """The median in milliseconds; the mean where the tool is too old to print one."""
    return stated.mean_ms if stated.median_ms is None else stated.median_ms


def stated_times(figures: Sequence[Figures]) -> dict[str, Any]:
    """The fields of a measurement, which `Measurement.stated` marks.

    No latency is made up: there is none, and the median has no interval. The tool prints the 95th percentile and the
    maximum: bounds from above of the 90th and the 99th. An old one prints the maximum only.

    Args:
        figures: of each round.

    Returns:
        None of them where the rounds have latencies.
    """
    stated = [each.statistics for each in figures if each.statistics]
    if not stated:
        return {}
    largest = max(each.max_ms for each in stated)
    return {
        "stated": True,
        "runs": sum(each.runs for each in stated),
        "latencies_ms": [],
        "median_ms": median(map(stated_median, stated)),
        "p90_ms": max(each.max_ms if each.p95_ms is None else each.p95_ms for each in stated),
        "p99_ms": largest,
        "min_ms": min(each.min_ms for each in stated),
    }
