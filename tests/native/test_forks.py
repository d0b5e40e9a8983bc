"""Forks: a child has copies of delegates and interpreters, none of their threads, and locks in any state."""

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import load_delegate
from forks import in_child
from network import network
from single_operator import create_interpreter, invoke

Check = Callable[[], None]
THREADS = (1, 2, 4)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    # Large enough for every thread to get a part of each operator.
    return np.random.default_rng(0).normal(size=(2, 31, 17, 64)).astype(np.float32)


@pytest.fixture
def check(image: np.ndarray) -> Callable[[Any], Check]:
    """check(delegate)() runs an interpreter of its own and compares what it gives."""
    model, expected = network()
    wanted = expected(image)

    def of(delegate: Any) -> Check:
        interpreter = create_interpreter(model, delegate)
        return lambda: np.testing.assert_array_equal(invoke(interpreter, image), wanted)

    return of


@pytest.mark.parametrize("threads", THREADS)
def test_a_child_computes_on(threads: int, library: Path, check: Any) -> None:
    run = check(load_delegate(str(library), {"num_threads": threads}))
    in_child(run)  # before the pool ever worked
    for _ in range(40):
        run()
        in_child(run)
    run()


@pytest.mark.parametrize("threads", THREADS)
def test_grandchildren_compute_on_too(threads: int, library: Path, check: Any) -> None:
    run = check(load_delegate(str(library), {"num_threads": threads}))

    def child() -> None:
        in_child(run)  # of a process that has not made a pool of its own
        run()
        in_child(run)
        run()

    run()
    for _ in range(10):
        in_child(child)


@pytest.mark.parametrize("threads", THREADS)
def test_a_child_destroys_what_it_inherited(threads: int, library: Path, image: np.ndarray) -> None:
    model, expected = network()
    wanted, interpreters = expected(image), []

    def create() -> None:
        delegate = load_delegate(str(library), {"num_threads": threads})
        interpreters.append(create_interpreter(model, delegate))

    def run() -> None:
        np.testing.assert_array_equal(invoke(interpreters[0], image), wanted)

    def use_and_destroy() -> None:
        run()
        interpreters.clear()

    for _ in range(10):
        create()
        run()
        in_child(interpreters.clear)
        in_child(use_and_destroy)
        run()
        interpreters.clear()


@contextmanager
def running(check: Check) -> Iterator[None]:
    """Another thread that runs inferences all the time."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                check()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failed == []


@pytest.mark.parametrize("threads", THREADS)
def test_a_fork_while_another_thread_runs_an_inference(threads: int, library: Path, check: Any) -> None:
    # One delegate, so one pool whose locks the other thread holds; an interpreter for each thread.
    delegate = load_delegate(str(library), {"num_threads": threads})
    run = check(delegate)
    with running(check(delegate)):
        for _ in range(40):
            in_child(run)
            run()


def test_several_threads_of_a_child_find_the_pool_gone_at_once(library: Path, check: Any) -> None:
    delegate = load_delegate(str(library), {"num_threads": 4})
    runs = [check(delegate) for _ in range(4)]

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
        assert settles(own_threads, 3)  # the pool's, made once

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


def test_a_child_that_gets_no_threads_works_alone(library: Path, check: Any) -> None:
    run = check(load_delegate(str(library), {"num_threads": 4}))
    run()

    def child() -> None:
        if os.geteuid() == 0:
            os.setuid(54321)  # the limit does not hold for root
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        with pytest.raises(RuntimeError, match="can't start new thread"):
            threading.Thread(target=run).start()
        run()

    in_child(child)


def test_a_child_does_not_write_into_its_parents_profile(library: Path, image: np.ndarray, tmp_path: Path) -> None:
    model, _ = network()
    log = tmp_path / "times"
    delegate = load_delegate(str(library), {"profile": str(log), "num_threads": 2})
    interpreters = [create_interpreter(model, delegate)]
    invoke(interpreters[0], image)
    lines = log.read_text().splitlines()
    assert lines

    def child() -> None:
        invoke(interpreters[0], image)
        interpreters.clear()

    in_child(child)
    assert log.read_text().splitlines() == lines
    invoke(interpreters[0], image)
    assert len(log.read_text().splitlines()) == 2 * len(lines)
