"""Measures one file with one engine in this process: a JSON request on stdin, a JSON answer on stdout (messages.py).

    python -m mobile_bnn.profiling.worker < request.json

It is a process of its own so that its peak memory is its own, and so that an engine's crash is not the caller's.
"""

import hashlib
import os
import resource
import sys
import time
from array import array
from pathlib import Path
from statistics import median

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.names import look_up
from mobile_bnn.profiling.condition import condition
from mobile_bnn.profiling.energy import find_meter, measure_energy
from mobile_bnn.profiling.engines import ENGINES, Session, describe_engines
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.profiling.messages import Answer, Figures, Message, Question, Request, TargetInfo
from mobile_bnn.profiling.parity import outputs_of
from mobile_bnn.profiling.timing import FEWEST_RUNS, time_runs, warm_up

_HOST = "the host"


def measure(request: Request) -> tuple[str, Figures]:
    """Loads the file and runs it, in this process.

    Returns:
        The kernel that ran, and the figures.

    Raises:
        MobileBnnError: the engine is not available or refuses the file, or a core is not there.
    """
    _pin(request.cpus)  # before any library starts threads, which inherit it
    engine = ENGINES[request.engine]
    flatbuffer = Path(request.path).read_bytes()
    engine.import_library()
    before = condition(request.cpus)
    began = time.perf_counter()
    session = engine.load(flatbuffer, request.kernel, request.threads)
    loaded = time.perf_counter()
    session.invoke()
    ready = time.perf_counter()
    deadline = ready + request.max_seconds
    warmup = warm_up(session.invoke, request.warmup, request.max_seconds)
    peak = peak_memory_bytes()  # here, for what follows allocates nothing but the list of latencies
    latencies = time_runs(
        session.invoke,
        request.runs,
        fewest=FEWEST_RUNS,
        min_seconds=request.min_seconds,
        max_seconds=deadline - time.perf_counter(),
    )
    after = condition(request.cpus)
    figures = Figures(
        file_sha256=hashlib.sha256(flatbuffer).hexdigest(),
        load_ms=(loaded - began) * 1e3,
        first_ms=(ready - loaded) * 1e3,
        warmup_runs=warmup,
        latencies_ms=[nanoseconds / 1e6 for nanoseconds in latencies],
        peak_memory_bytes=peak,
        before=before,
        after=after,
    )
    return session.kernel, figures.model_copy(update=_further(session, request, latencies, deadline))


def _further(session: Session, request: Request, latencies: "array[int]", deadline: float) -> dict[str, object]:
    """What is measured after the latencies, so that it cannot disturb them."""
    found: dict[str, object] = {}
    if request.operators:
        runs = _operator_runs(latencies)
        found["operator_times"] = session.time_operators(runs)
        found["operator_times_plain"] = session.time_operators(runs, xnnpack=False)
        found["delegated_operators"] = session.delegated_operators()
        found["energy"] = measure_energy(session.invoke, find_meter(), deadline)
    if request.peak:
        found["peak_gmacs"] = session.peak_gmacs()
    if request.samples:
        found["outputs"] = outputs_of(session, Path(request.inputs).read_bytes(), request.samples)
    return found


def _pin(cpus: list[int]) -> None:
    if not cpus:
        return
    try:
        os.sched_setaffinity(0, cpus)
    except (AttributeError, OSError, ValueError) as error:
        shown = ", ".join(map(str, cpus))
        raise UsageError(f"the process cannot be pinned to the cores {shown}", why=first_line(error)) from error


def _operator_runs(latencies: "array[int]") -> int:
    """As many as half a second has room for, 2 to 50."""
    return max(2, min(50, int(0.5e9 / max(median(latencies), 1))))


def peak_memory_bytes() -> int:
    """The most memory that this process has had resident.

    On Linux getrusage also counts what the process that started this one had resident (a child inherits the mark until
    it executes another program, and keeps it), so the kernel's mark of this program alone is read instead.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _answer(content: bytes) -> Message:
    machine = local_machine()  # its load is to be that before measuring
    try:
        if Question.parse(content, _HOST).ask == "describe":
            return TargetInfo(machine=machine, condition=condition(), engines=describe_engines())
        request = Request.parse(content, _HOST)
        engine = look_up("engine", request.engine, ENGINES)
    except MobileBnnError as error:
        return Answer(machine=machine, engine_version="", kernel="", error=(error.what, error.why, error.cure))
    kernel, figures, failure = request.kernel, None, None
    try:
        kernel, figures = measure(request)
    except MobileBnnError as error:
        failure = (error.what, error.why, error.cure)
    except MemoryError:
        failure = (
            f"the engine {request.engine} ran out of memory",
            "",
            "Close other programs, or take a smaller model",
        )
    except Exception as error:
        failure = (f"the engine {request.engine} failed", first_line(error), "")
    return Answer(machine=machine, engine_version=engine.version(), kernel=kernel, figures=figures, error=failure)


def main() -> None:
    """Answers one question."""
    # Native code may print: only the answer goes to the real stdout, all else to stderr.
    answer_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer_to.write(_answer(sys.stdin.buffer.read()).encode())
    answer_to.close()


if __name__ == "__main__":
    main()
