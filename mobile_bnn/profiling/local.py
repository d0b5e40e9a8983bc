"""Target `local`: measures .tflite files on this machine, each measurement in a process of its own, one at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile_bnn.child_process import complaint, end_of, run_module
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.names import look_up, unknown
from mobile_bnn.profiling.engines import ENGINES
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.profiling.messages import Answer, Figures, Request
from mobile_bnn.runs import Measurement, Profile
from mobile_bnn.runtime import graph_sha256, read_model

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Job:
    """One file to be measured with one kernel of one engine."""

    engine: str
    kernel: str
    path: Path


def jobs_for(path: Path | str, engine_names: Iterable[str]) -> list[Job]:
    """The jobs for a file: "lce" means every kernel of that engine, "lce:indirect_bgemm" only that one.

    Raises:
        UsageError: an engine or kernel is unknown; the nearest names are suggested.
    """
    jobs = []
    for name in engine_names:
        engine_name, colon, kernel = name.partition(":")
        engine = look_up("engine", engine_name, ENGINES)
        if colon and kernel not in engine.kernels:
            raise unknown(f"kernel of engine {engine_name}", kernel, engine.kernels)
        kernels = (kernel,) if colon else engine.kernels
        jobs += [Job(engine_name, each, Path(path)) for each in kernels]
    return list(dict.fromkeys(jobs))


def profile(
    jobs: Sequence[Job],
    *,
    runs: int = 100,
    warmup: int = 10,
    threads: Sequence[int] = (1, 2),
    max_seconds: float = 30.0,
    on_progress: Progress | None = None,
) -> Profile:
    """Measures every job at every thread count, batch 1, on seeded random input.

    Args:
        jobs: what to measure, see `jobs_for`.
        runs: inferences to time.
        warmup: inferences before that, not counted.
        threads: thread counts for the engine.
        max_seconds: a cap on each measurement; past it there are fewer runs, but at least 5.
        on_progress: called with (done, total, what is measured now), and once more at the end.

    Raises:
        UsageError: there is no such file, no job, or a number is out of range.
        MobileBnnError: a file is malformed, or an engine is missing, refuses a file, or crashes.
    """
    _check_numbers(jobs, runs, warmup, threads, max_seconds)
    for path in dict.fromkeys(job.path for job in jobs):
        read_model(path)
    machine = local_machine()
    todo = [(job, count) for job in jobs for count in dict.fromkeys(threads)]
    measurements = []
    for done, (job, count) in enumerate(todo):
        if on_progress:
            on_progress(done, len(todo), _describe(job, count))
        request = Request(
            engine=job.engine,
            kernel=job.kernel,
            path=str(job.path.resolve()),
            threads=count,
            runs=runs,
            warmup=warmup,
            max_seconds=max_seconds,
        )
        measurements.append(_measurement(job, count, _ask_worker(job, request)))
    if on_progress:
        on_progress(len(todo), len(todo), "done")
    return Profile(target="local", machine=machine, measurements=measurements)


def _check_numbers(jobs: Sequence[Job], runs: int, warmup: int, threads: Sequence[int], max_seconds: float) -> None:
    if not jobs:
        raise UsageError("there is nothing to profile", cure="Name at least one engine")
    if runs < 1 or warmup < 0:
        raise UsageError(f"{runs} runs after {warmup} warm-up runs cannot be measured", cure="Ask for 1 run or more")
    if not threads or min(threads) < 1:
        raise UsageError(f"thread counts {list(threads)} cannot be used", cure="Give counts of 1 or more")
    if not max_seconds > 0:
        raise UsageError(f"a cap of {max_seconds} seconds cannot be kept", cure="Give a number above 0")


def _describe(job: Job, threads: int) -> str:
    return f"{job.path.name} with {job.engine} ({job.kernel}), {threads} thread{'s' if threads > 1 else ''}"


def _ask_worker(job: Job, request: Request) -> Figures:
    process = run_module("mobile_bnn.profiling.worker", request.model_dump_json().encode("utf-8"))
    told = complaint(process)
    more = f" ({told})" if told else ""
    if process.returncode != 0:
        raise MobileBnnError(
            f"the engine crashed on {_describe(job, request.threads)}",
            why=f"its process {end_of(process.returncode)}{more}",
            cure="Try another engine or kernel",
        )
    answer = Answer.model_validate_json(process.stdout)
    if answer.figures is None:
        what, why, cure = answer.error or ("the measuring process gave no figures", "", "")
        raise MobileBnnError(f"cannot profile {job.path}: {what}", why=why + more, cure=cure)
    return answer.figures


def _measurement(job: Job, threads: int, figures: Figures) -> Measurement:
    latencies = np.array(figures.latencies_ms)
    median, p90, p99 = (float(value) for value in np.percentile(latencies, (50, 90, 99)))
    return Measurement(
        engine=job.engine,
        engine_version=ENGINES[job.engine].version(),
        kernel=job.kernel,
        threads=threads,
        file=str(job.path),
        file_bytes=job.path.stat().st_size,
        file_sha256=sha256(job.path),
        graph_sha256=graph_sha256(job.path),
        median_ms=median,
        p90_ms=p90,
        p99_ms=p99,
        min_ms=float(latencies.min()),
        **figures.model_dump(),
    )
