"""From the answers of a setting's rounds to its measurement: pooled latencies, interval, throttling."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn.profile_records import Condition, Measurement, Parity, Round
from mobile_bnn.profiling.condition import NOW
from mobile_bnn.profiling.messages import Answer, Figures
from mobile_bnn.profiling.planning import Setting
from mobile_bnn.profiling.stated_times import stated_median, stated_times
from mobile_bnn.profiling.statistics import median_interval

# Of very many runs a record keeps a sample, or a small network's would be some megabytes.
KEPT = 1000
_FALLEN = 0.85  # of the highest clock of the session: below, heat or the supply has lowered it


@dataclass(frozen=True)
class Content:
    """What lay in a file before it was measured."""

    path: Path
    size_bytes: int
    sha256: str
    graph_sha256: str
    operators: int


def summarize(
    setting: Setting,
    content: Content,
    answers: Sequence[Answer],
    *,
    keep_all: bool,
    highest_mhz: float | None = None,
    parity: Parity | None = None,
) -> Measurement:
    """The measurement of a setting.

    Args:
        setting: what was measured.
        content: the file.
        answers: of its rounds, which have figures; the first has those of the operators.
        keep_all: keep every latency, however many there are.
        highest_mhz: the highest mean clock that these cores had in the session.
        parity: see `parity.compare`.
    """
    figures = [answer.figures for answer in answers if answer.figures]
    rounds = [_round(each) for each in figures]
    times = stated_times(figures) or _pooled(figures, rounds, keep_all)
    first = figures[0]
    peaks = [each.peak_gmacs for each in figures if each.peak_gmacs is not None]
    return Measurement(
        engine=setting.job.engine,
        engine_version=answers[0].engine_version,
        kernel=answers[0].kernel,
        threads=setting.threads,
        cores=setting.cores,
        file=str(setting.job.path),
        file_bytes=content.size_bytes,
        file_sha256=content.sha256,
        graph_sha256=content.graph_sha256,
        warmup_runs=sum(each.warmup_runs for each in figures),
        **times,
        load_ms=median(each.load_ms for each in figures),
        first_ms=median(each.first_ms for each in figures),
        peak_memory_bytes=max(each.peak_memory_bytes for each in figures),
        rounds=rounds,
        throttled=is_throttled(rounds, highest_mhz),
        delegated_operators=first.delegated_operators,
        operators=content.operators,
        operator_times=first.operator_times,
        operator_times_plain=first.operator_times_plain,
        peak_gmacs=max(peaks, default=None),
        parity=parity,
        energy=first.energy,
    )


def _pooled(figures: Sequence[Figures], rounds: Sequence[Round], keep_all: bool) -> dict[str, Any]:
    """The fields of the latencies of all rounds together."""
    latencies = np.concatenate([each.latencies_ms for each in figures])
    middle, p90, p99 = (float(value) for value in np.percentile(latencies, (50, 90, 99)))
    low, high = median_interval(latencies, [each.runs for each in rounds])
    return {
        "runs": len(latencies),
        "latencies_ms": sample(latencies, len(latencies) if keep_all else KEPT),
        "median_ms": middle,
        "median_low_ms": low,
        "median_high_ms": high,
        "p90_ms": p90,
        "p99_ms": p99,
        "min_ms": float(latencies.min()),
    }


def _round(figures: Figures) -> Round:
    stated = figures.statistics
    return Round(
        runs=stated.runs if stated else len(figures.latencies_ms),
        median_ms=stated_median(stated) if stated else median(figures.latencies_ms),
        load_ms=figures.load_ms,
        first_ms=figures.first_ms,
        before=figures.before,
        after=figures.after,
    )


def is_throttled(rounds: Sequence[Round], highest_mhz: float | None) -> bool:
    """Whether the processor was slowed down meanwhile, as far as the system tells.

    That is: it says so after a round; it names a reason that it did not name before; or the mean clock after a round is
    below 85 % of the highest one that the same cores had in the session.
    """
    for each in rounds:
        before, after = set(each.before.throttled or ()), set(each.after.throttled or ())
        if after - before or any(flag.endswith(NOW) for flag in after):
            return True
        mhz = mean_mhz(each.after)
        if mhz and highest_mhz and mhz < _FALLEN * highest_mhz:
            return True
    return False


def mean_mhz(condition: Condition) -> float | None:
    """The mean clock of the cores that measured; None where it is not told."""
    return fmean(condition.mhz) if condition.mhz else None


def sample(latencies: npt.NDArray[np.float64], most: int) -> list[float]:
    """At most so many of them, in order of time, with the quantiles of all: the smallest and the largest are there."""
    if len(latencies) <= most:
        return list(map(float, latencies))
    ranks = np.linspace(0, len(latencies) - 1, most).round().astype(np.intp)
    return list(map(float, latencies[np.sort(np.argsort(latencies, kind="stable")[ranks])]))
