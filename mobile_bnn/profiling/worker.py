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

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.names import look_up
from mobile_bnn.profiling.engines import ENGINES, Session, describe_engines
from mobile_bnn.profiling.machine import local_machine
from mobile_bnn.profiling.messages import Answer, Figures, Message, Question, Request, TargetInfo

FEWEST_RUNS = 5
_HOST = "the host"


def measure(request: Request) -> tuple[str, Figures]:
    """Loads the file and runs it, in this process.

    Returns:
        The kernel that ran, and the figures.

    Raises:
        MobileBnnError: the engine is not available or refuses the file.
    """
    engine = ENGINES[request.engine]
    flatbuffer = Path(request.path).read_bytes()
    engine.import_library()
    began = time.perf_counter()
    session = engine.load(flatbuffer, request.kernel, request.threads)
    loaded = time.perf_counter()
    session.invoke()
    began, load_ms = time.perf_counter(), (loaded - began) * 1e3
    first_ms = (began - loaded) * 1e3
    # Half of the time at most goes into warming up, so that a slow model still gets more runs than the fewest.
    warmup = _run(session, request.warmup or 0, 0, 0.0, began + request.max_seconds / 2)
    peak = peak_memory_bytes()  # here, for what follows allocates nothing but the list of latencies
    latencies = _run(session, request.runs, FEWEST_RUNS, request.min_seconds, began + request.max_seconds)
    operator_times = session.time_operators(_operator_runs(latencies))
    return session.kernel, Figures(
        file_sha256=hashlib.sha256(flatbuffer).hexdigest(),
        load_ms=load_ms,
        first_ms=first_ms,
        warmup_runs=len(warmup),
        latencies_ms=[nanoseconds / 1e6 for nanoseconds in latencies],
        peak_memory_bytes=peak,
        operator_times=operator_times,
    )


def _operator_runs(latencies: "array[int]") -> int:
    """As many as half a second has room for, 5 to 50."""
    return max(FEWEST_RUNS, min(50, int(0.5e9 / max(median(latencies), 1))))


def _run(session: Session, runs: int, fewest: int, seconds: float, deadline: float) -> "array[int]":
    """Latencies in ns of `runs` inferences, and of more until `seconds` are over.

    After the deadline there are no more than `fewest`.
    """
    latencies = array("q")
    now = time.perf_counter_ns()
    least, last = now + int(seconds * 1e9), int(deadline * 1e9)
    while (len(latencies) < runs or now < least) and (now < last or len(latencies) < fewest):
        session.invoke()
        now, before = time.perf_counter_ns(), now
        latencies.append(now - before)
    return latencies


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
            return TargetInfo(machine=machine, engines=describe_engines())
        request = Request.parse(content, _HOST)
        engine = look_up("engine", request.engine, ENGINES)
    except MobileBnnError as error:
        return Answer(machine=machine, engine_version="", kernel="", error=(error.what, error.why, error.cure))
    kernel, figures, failure = request.kernel, None, None
    try:
        kernel, figures = measure(request)
    except MobileBnnError as error:
        failure = (error.what, error.why, error.cure)
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
