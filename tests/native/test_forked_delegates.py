"""Forks: a child has copies of delegates and interpreters, none of their threads, and locks in any state.

The assertions are in the functions that a test hands to `in_new_process`, which fails if one of them does.
"""

import os
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate, load_delegate
from network import network
from single_operator import create_interpreter, invoke

from tests.support.forks import busy, in_child, in_new_process

Check = Callable[[], None]
THREADS = (1, 2, 4)
MODEL, EXPECTED = network()
# Large enough for every thread to get a part of each operator.
IMAGE = np.random.default_rng(0).normal(size=(2, 31, 17, 64)).astype(np.float32)


def checks(delegate: Delegate, count: int = 1) -> list[Check]:
    """Each runs an interpreter of its own on that delegate, and compares what it gives."""
    wanted = EXPECTED(IMAGE)

    def check() -> Check:
        interpreter = create_interpreter(MODEL, delegate)
        return lambda: np.testing.assert_array_equal(invoke(interpreter, IMAGE), wanted)

    return [check() for _ in range(count)]


def computes_on(library: str, threads: int) -> None:
    (run,) = checks(load_delegate(library, {"num_threads": threads}))
    in_child(run)  # before the pool ever worked
    for _ in range(40):
        run()
        in_child(run)
    run()


@pytest.mark.parametrize("threads", THREADS)
def test_a_child_computes_on(threads: int, library: Path) -> None:
    in_new_process(computes_on, str(library), threads)


def has_grandchildren(library: str, threads: int) -> None:
    (run,) = checks(load_delegate(library, {"num_threads": threads}))

    def child() -> None:
        in_child(run)  # of a process that has not made a pool of its own
        run()
        in_child(run)
        run()

    run()
    for _ in range(10):
        in_child(child)


@pytest.mark.parametrize("threads", THREADS)
def test_grandchildren_compute_on_too(threads: int, library: Path) -> None:
    in_new_process(has_grandchildren, str(library), threads)


def destroys(library: str, threads: int) -> None:
    for _ in range(10):
        runs = checks(load_delegate(library, {"num_threads": threads}))

        def use_and_destroy(runs: list[Check] = runs) -> None:
            runs.pop()()

        runs[0]()
        in_child(runs.clear)
        in_child(use_and_destroy)
        runs.pop()()


@pytest.mark.parametrize("threads", THREADS)
def test_a_child_destroys_what_it_inherited(threads: int, library: Path) -> None:
    in_new_process(destroys, str(library), threads)


def forks_while_running(library: str, threads: int) -> None:
    # One delegate, so one pool whose locks the other thread holds; an interpreter for each thread.
    run, others_run = checks(load_delegate(library, {"num_threads": threads}), 2)
    run()  # NumPy imports a part of itself here, and a module that a thread is importing at a fork hangs the child
    with busy(others_run):
        for _ in range(40):
            in_child(run)
            run()


@pytest.mark.parametrize("threads", THREADS)
def test_a_fork_while_another_thread_runs_an_inference(threads: int, library: Path) -> None:
    in_new_process(forks_while_running, str(library), threads)


def restarts_once(library: str) -> None:
    runs = checks(load_delegate(library, {"num_threads": 4}), 4)

    def child() -> None:
        failed: list[BaseException] = []
        together = threading.Barrier(len(runs))

        def work(run: Check) -> None:
            together.wait()
            try:
                for _ in range(5):
                    run()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert settles(own_threads, 3)

    runs[0]()
    for _ in range(20):
        in_child(child)


def own_threads() -> int:
    """How many threads the process has beside those that Python knows."""
    return len(list(Path("/proc/self/task").iterdir())) - threading.active_count()


def settles(count: Callable[[], int], wanted: int) -> bool:
    """Whether it is that many within some seconds: a thread that was joined lives on for a moment."""
    deadline = time.monotonic() + 10
    while count() != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    return count() == wanted


def test_several_threads_of_a_child_make_the_pool_anew_once(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # NumPy has threads too
    in_new_process(restarts_once, str(library))


def gets_no_threads(library: str) -> None:
    (run,) = checks(load_delegate(library, {"num_threads": 4}))
    run()

    def child() -> None:
        if os.geteuid() == 0:
            os.setuid(54321)  # the limit does not hold for root
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        with pytest.raises(RuntimeError, match="can't start new thread"):
            threading.Thread(target=run).start()
        run()

    in_child(child)


def test_a_child_that_gets_no_threads_works_alone(library: Path) -> None:
    in_new_process(gets_no_threads, str(library))


def profiles(library: str, log: str) -> None:
    runs = checks(load_delegate(library, {"profile": log, "num_threads": 2}))
    runs[0]()
    lines = Path(log).read_text().splitlines()
    assert lines

    def child() -> None:
        runs.pop()()

    in_child(child)
    assert Path(log).read_text().splitlines() == lines
    runs.pop()()
    assert len(Path(log).read_text().splitlines()) == 2 * len(lines)


def test_a_child_does_not_write_into_its_parents_profile(library: Path, tmp_path: Path) -> None:
    in_new_process(profiles, str(library), str(tmp_path / "times"))
