"""Measures jobs on a target, one after the other: what is asked for, and the statistics of what comes back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.profiling.jobs import Job
from mobile_bnn.profiling.messages import Answer, Figures, Request
from mobile_bnn.profiling.targets import EngineCrashError, Target, connect
from mobile_bnn.runtime import graph_sha256, read_model
from mobile_bnn.wording import plural

Progress = Callable[[int, int, str], None]
Refused = Callable[[str, MobileBnnError], None]

# Unless a number of runs is asked for. A network of 5 microseconds would else be judged by half a millisecond.
LEAST_RUNS = 100
LEAST_SECONDS = 0.5
# Of those many runs a record keeps a sample, or a small network's would be some megabytes.
KEPT = 1000


@dataclass(frozen=True)
class _Content:
    """What lay in a file before it was measured."""

    size_bytes: int
    sha256: str
    graph_sha256: str


def profile(
    jobs: Sequence[Job],
    *,
    target: Target | str = "local",
    runs: int | None = None,
    warmup: int = 10,
    threads: Sequence[int] = (1, 2),
    max_seconds: float = 30.0,
    on_progress: Progress | None = None,
    on_refusal: Refused | None = None,
) -> Profile:
    """Measures every job at every thread count, batch 1, on seeded random input.

    Args:
        jobs: what to measure, see `jobs_for`.
        target: where: a URL, as `connect` takes it, or a target, which stays open.
        runs: inferences to time, exactly so many, and every latency is kept. By default at least LEAST_RUNS, and at
            least LEAST_SECONDS of them; of more than KEPT latencies a sample of the same distribution is kept.
        warmup: inferences before that, not counted.
        threads: thread counts for the engine.
        max_seconds: a cap on each measurement; past it there are fewer runs, but at least 5.
        on_progress: called with (done, total, what is measured now), and once more at the end.
        on_refusal: called with (what, why) for a measurement that an engine refuses or crashes in, which is left out.
            By default, or if there is no other, it is an error.

    Raises:
        UsageError: there is no such file, no job, no such target, or a number is out of range.
        MobileBnnError: a file is malformed or is replaced meanwhile, or an engine is missing, refuses a file, or
            crashes.
    """
    least = LEAST_RUNS if runs is None else runs
    _check_numbers(jobs, least, warmup, threads, max_seconds)
    files = {path: _content(path) for path in dict.fromkeys(job.path for job in jobs)}
    todo = [(job, count) for job in jobs for count in dict.fromkeys(threads)]
    answers: list[Answer] = []
    measurements: list[Measurement] = []
    with _opened(target) as opened:
        names = opened.stage(list(files))
        for done, (job, count) in enumerate(todo):
            if on_progress:
                on_progress(done, len(todo), _describe(job, count))
            request = Request(
                engine=job.engine,
                kernel=job.kernel,
                path=names[job.path],
                threads=count,
                runs=least,
                warmup=warmup,
                min_seconds=LEAST_SECONDS if runs is None else 0.0,
                max_seconds=max_seconds,
            )
            try:
                answer, measured = _measure(opened, job, request)
            except MobileBnnError as error:
                if on_refusal is None or (not answers and done + 1 == len(todo)):
                    raise
                on_refusal(_describe(job, count), error)
                continue
            answers.append(answer)
            most = KEPT if runs is None else len(measured.latencies_ms)
            measurements.append(_measurement(job, count, files[job.path], answer, measured, most))
        url = opened.url
    if on_progress:
        on_progress(len(todo), len(todo), "done")
    return Profile(target=url, machine=answers[0].machine, measurements=measurements)


@contextmanager
def _opened(target: Target | str) -> Iterator[Target]:
    """The target; one that was given by its URL is closed in the end."""
    if isinstance(target, str):
        with closing(connect(target)) as opened:
            yield opened
    else:
        yield target


def _content(path: Path) -> _Content:
    model = read_model(path)
    return _Content(path.stat().st_size, sha256(path), graph_sha256(model))


def _check_numbers(jobs: Sequence[Job], runs: int, warmup: int, threads: Sequence[int], max_seconds: float) -> None:
    if not jobs:
        raise UsageError("there is nothing to profile", cure="Name at least one engine")
    if runs < 1 or warmup < 0:
        what = f"{plural(runs, 'run')} after {plural(warmup, 'warm-up run')} cannot be measured"
        raise UsageError(what, cure="Ask for 1 run or more")
    if not threads or min(threads) < 1:
        raise UsageError(f"thread counts {list(threads)} cannot be used", cure="Give counts of 1 or more")
    if not max_seconds > 0:
        raise UsageError(f"a cap of {max_seconds} seconds cannot be kept", cure="Give a number above 0")


def _describe(job: Job, threads: int) -> str:
    return f"{job.path.name} with {job.engine} ({job.kernel}), {plural(threads, 'thread')}"


def _measure(target: Target, job: Job, request: Request) -> tuple[Answer, Figures]:
    try:
        answer = target.measure(request)
    except EngineCrashError as error:
        what = f"{error.what} on {_describe(job, request.threads)}"
        raise MobileBnnError(what, why=error.why, cure=error.cure) from error
    if answer.figures is None:
        what, why, cure = answer.error or ("the measuring process gave no figures", "", "")
        raise MobileBnnError(f"cannot profile {job.path}: {what}", why=why, cure=cure)
    return answer, answer.figures


def _measurement(job: Job, threads: int, file: _Content, answer: Answer, figures: Figures, most: int) -> Measurement:
    if figures.file_sha256 != file.sha256:
        raise MobileBnnError(f"{job.path} was replaced while it was measured", cure="Profile it again")
    latencies = np.array(figures.latencies_ms)
    median, p90, p99 = (float(value) for value in np.percentile(latencies, (50, 90, 99)))
    return Measurement(
        engine=job.engine,
        engine_version=answer.engine_version,
        kernel=answer.kernel,
        threads=threads,
        file=str(job.path),
        file_bytes=file.size_bytes,
        file_sha256=file.sha256,
        graph_sha256=file.graph_sha256,
        warmup_runs=figures.warmup_runs,
        runs=len(latencies),
        latencies_ms=_sample(latencies, most),
        median_ms=median,
        p90_ms=p90,
        p99_ms=p99,
        min_ms=float(latencies.min()),
        load_ms=figures.load_ms,
        first_ms=figures.first_ms,
        peak_memory_bytes=figures.peak_memory_bytes,
        operator_times=figures.operator_times,
    )


def _sample(latencies: npt.NDArray[np.float64], most: int) -> list[float]:
    """At most so many of them, in order of time, with the quantiles of all: the smallest and the largest are there."""
    if len(latencies) <= most:
        return list(map(float, latencies))
    ranks = np.linspace(0, len(latencies) - 1, most).round().astype(np.intp)
    return list(map(float, latencies[np.sort(np.argsort(latencies, kind="stable")[ranks])]))
