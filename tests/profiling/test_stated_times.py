"""What a tool that prints statistics only becomes in a measurement: bounds and no made-up latency."""

from mobile_bnn.profiling.messages import Figures, Statistics
from mobile_bnn.profiling.stated_times import stated_times


def figures(**fields: float | None) -> Figures:
    stated = Statistics.model_validate({"runs": 50, "mean_ms": 2.0, "min_ms": 1.0, "max_ms": 5.0, **fields})
    return Figures(
        file_sha256="", load_ms=1, first_ms=3, warmup_runs=1, latencies_ms=[], peak_memory_bytes=0, statistics=stated
    )


def test_rounds_with_percentiles() -> None:
    found = stated_times([figures(median_ms=1.8, p95_ms=4.0), figures(median_ms=1.9, p95_ms=4.5, max_ms=6.0)])
    assert found.pop("median_ms") == (1.8 + 1.9) / 2
    assert found == {"stated": True, "runs": 100, "latencies_ms": [], "p90_ms": 4.5, "p99_ms": 6.0, "min_ms": 1.0}


def test_an_old_tool_prints_no_percentile() -> None:
    found = stated_times([figures()])
    assert (found["median_ms"], found["p90_ms"], found["p99_ms"]) == (2.0, 5.0, 5.0)


def test_latencies_are_not_stated() -> None:
    measured = figures().model_copy(update={"latencies_ms": [1.0], "statistics": None})
    assert stated_times([measured]) == {}
