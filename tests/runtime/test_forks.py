"""Interpreters in forked and spawned processes: right results there and here, and nothing that hangs or dies.

The assertions are in the functions that a test hands to `in_new_process`, which fails if one of them does.
"""

import concurrent.futures
import copy
import gc
import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert

from mobile_bnn.errors import UsageError
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import Array
from tests.support.forks import busy, in_child, in_new_process

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

THREADS = (1, 2, 4)
IMAGES = np.random.default_rng(3).normal(size=(5, 8, 8, 32)).astype(np.float32)
# LiteRT without XNNPACK: its own kernels have threads of another library.
OWN_KERNELS = SimpleNamespace(
    load_delegate=litert.load_delegate,
    Interpreter=partial(
        litert.Interpreter, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    ),
)


def opened(path: str, **options: Any) -> tuple[Interpreter, Callable[[], None]]:
    """An interpreter, and what to call to see that it is right."""
    with Interpreter(path, runtime=options.get("runtime")) as single:
        wanted = single.predict(IMAGES)
    interpreter = Interpreter(path, **options)

    def run() -> None:
        np.testing.assert_allclose(interpreter.predict(IMAGES), wanted, rtol=1e-6, atol=1e-7)

    np.testing.assert_allclose(wanted, wanted)  # NumPy imports it now: not in a thread, where a fork would break it
    return interpreter, run


@pytest.fixture(params=["binary_tflite", "float_tflite"])
def path(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def forks_often(path: str, num_threads: int) -> None:
    interpreter, run = opened(path, num_threads=num_threads)

    def run_and_close() -> None:
        run()
        interpreter.close()
        with pytest.raises(UsageError, match="this interpreter is closed"):
            run()

    in_child(run)  # before the first inference
    for number in range(40):
        run()
        in_child((run, interpreter.close, run_and_close)[number % 3])
    run()


@pytest.mark.parametrize("num_threads", THREADS)
def test_a_child_predicts_and_closes(path: str, num_threads: int) -> None:
    in_new_process(forks_often, path, num_threads)


def forks_without_xnnpack(path: str, num_threads: int) -> None:
    interpreter, run = opened(path, num_threads=num_threads, runtime=OWN_KERNELS)
    for _ in range(10):
        run()
        in_child(run)
        in_child(interpreter.close)


@pytest.mark.parametrize("num_threads", [1, 4])
def test_litert_without_xnnpack(float_tflite: Path, num_threads: int) -> None:
    in_new_process(forks_without_xnnpack, str(float_tflite), num_threads)


def has_grandchildren(path: str, num_threads: int) -> None:
    interpreter, run = opened(path, num_threads=num_threads)

    def child() -> None:
        in_child(run)  # of a parent that has not used it
        run()
        in_child(run)
        in_child(interpreter.close)
        run()

    run()
    for _ in range(10):
        in_child(child)


@pytest.mark.parametrize("num_threads", THREADS)
def test_grandchildren(binary_tflite: Path, num_threads: int) -> None:
    in_new_process(has_grandchildren, str(binary_tflite), num_threads)


def forks_while_it_runs(path: str, num_threads: int) -> None:
    interpreter, run = opened(path, num_threads=num_threads)
    sizes = iter(range(10**9))

    def resize() -> None:  # the fork leaves it half prepared, or half done
        interpreter.predict(IMAGES[: 1 + next(sizes) % 5])

    with busy(resize):
        for number in range(40):
            in_child(run if number % 2 else interpreter.close)
            run()


@pytest.mark.parametrize("num_threads", THREADS)
def test_a_fork_while_another_thread_uses_the_same_interpreter(path: str, num_threads: int) -> None:
    in_new_process(forks_while_it_runs, path, num_threads)


def forks_while_others_are_made(path: str) -> None:
    _, run = opened(path, num_threads=2)

    def make() -> None:
        with Interpreter(path, num_threads=2) as other:
            other.predict(IMAGES)

    with busy(make):
        for _ in range(20):
            in_child(run)
            in_child(make)


def test_a_fork_while_another_thread_makes_and_closes_interpreters(path: str) -> None:
    in_new_process(forks_while_others_are_made, path)


def forks_while_it_is_profiled(path: str) -> None:
    interpreter, run = opened(path, num_threads=2)

    def profile() -> None:
        assert interpreter.profile(IMAGES, runs=2)

    profile()  # the first call looks for a temporary folder, under a lock of Python's that a fork breaks
    with busy(profile):
        for _ in range(10):
            in_child(profile)
            in_child(run)


def test_a_fork_while_another_thread_profiles(binary_tflite: Path) -> None:
    in_new_process(forks_while_it_is_profiled, str(binary_tflite))


def children_end_as_programs_do(path: str, num_threads: int) -> None:
    # Everything is destroyed at the end of such a process, and what a fork left without its threads must not be.
    interpreters = [opened(path, num_threads=num_threads)[0] for _ in range(3)]
    wanted = [interpreter.predict(IMAGES) for interpreter in interpreters]
    for _ in range(10):
        if os.fork() == 0:
            interpreters.pop()
            gc.collect()
            interpreters.pop().close()
            np.testing.assert_allclose(interpreters[0].predict(IMAGES), wanted[0], rtol=1e-6, atol=1e-7)
            sys.exit(7)
        status = os.waitstatus_to_exitcode(os.wait()[1])
        assert status == 7, status
    np.testing.assert_array_equal([interpreter.predict(IMAGES) for interpreter in interpreters], wanted)


@pytest.mark.parametrize("num_threads", [1, 4])
def test_a_child_that_ends_as_a_program_does(path: str, num_threads: int) -> None:
    in_new_process(children_end_as_programs_do, path, num_threads)


def children_end_while_it_is_profiled(path: str) -> None:
    # At such an end Python removes temporary folders that it thinks its own.
    interpreter, _ = opened(path)

    def profile() -> None:
        assert interpreter.profile(IMAGES[:1], runs=20)

    profile()
    with busy(profile):
        for _ in range(8):
            pid = os.fork()
            if pid == 0:
                sys.exit()
            os.waitpid(pid, 0)


def test_the_end_of_a_child_does_not_disturb_a_profile(binary_tflite: Path) -> None:
    in_new_process(children_end_while_it_is_profiled, str(binary_tflite))


def keeps_its_memory(path: str) -> None:
    interpreter, run = opened(path)
    runtime = interpreter.interpreter

    def child() -> None:
        assert interpreter.interpreter is runtime  # nothing was lost, so the child shares the parent's memory
        run()

    run()
    in_child(child)
    assert interpreter.interpreter is runtime


def test_with_one_thread_a_child_prepares_nothing_anew(binary_tflite: Path) -> None:
    in_new_process(keeps_its_memory, str(binary_tflite))


_inherited: Interpreter  # of the process that forks


def _predict(images: np.ndarray) -> Array | list[Array]:
    return _inherited.predict(images)


def _keep(interpreter: Interpreter) -> None:
    global _inherited
    _inherited = interpreter


def serves_a_pool(path: str, num_threads: int) -> None:
    interpreter, run = opened(path, num_threads=num_threads)
    run()
    _keep(interpreter)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        for image, result in zip(IMAGES, pool.map(_predict, [image[None] for image in IMAGES]), strict=True):
            np.testing.assert_allclose(result, interpreter.predict(image[None]), rtol=1e-6, atol=1e-7)
        # A user's mistake comes back as what it is; an error that cannot be unpickled would hang the pool.
        with pytest.raises(UsageError, match="the model takes float32, not float64"):
            pool.apply_async(_predict, (IMAGES.astype(np.float64),)).get(timeout=60)
    run()


@pytest.mark.parametrize("num_threads", [1, 4])
def test_a_pool_of_forked_workers_uses_the_parents_interpreter(path: str, num_threads: int) -> None:
    in_new_process(serves_a_pool, path, num_threads)


def _put_prediction(interpreter: Interpreter, queue: "SimpleQueue[Array | list[Array]]") -> None:
    queue.put(interpreter.predict(IMAGES))


def sends_itself(path: str, method: str) -> None:
    interpreter, run = opened(path, num_threads=2)
    run()
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    process = context.Process(target=_put_prediction, args=(interpreter, queue))
    process.start()
    np.testing.assert_allclose(queue.get(), interpreter.predict(IMAGES), rtol=1e-6, atol=1e-7)
    process.join(60)
    assert process.exitcode == 0
    run()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_that_gets_an_interpreter(binary_tflite: Path, method: str) -> None:
    in_new_process(sends_itself, str(binary_tflite), method)


def serves_a_spawned_pool(path: str) -> None:
    interpreter, _ = opened(path)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, context, _keep, (interpreter,)) as pool:
        for result in pool.map(_predict, [IMAGES] * 4):
            np.testing.assert_array_equal(result, interpreter.predict(IMAGES))


def test_a_spawned_pool_gets_an_interpreter_for_each_worker(binary_tflite: Path) -> None:
    in_new_process(serves_a_spawned_pool, str(binary_tflite))


def test_what_is_sent_is_the_model_and_its_options(binary_tflite: Path, float_tflite: Path) -> None:
    with Interpreter(binary_tflite, isa="portable") as interpreter:
        sent = pickle.dumps(interpreter)
        with copy.copy(interpreter) as another:
            assert another.interpreter is not interpreter.interpreter
    with pytest.raises(UsageError, match="this interpreter is closed"):
        pickle.dumps(interpreter)
    with pickle.loads(sent) as received:
        assert received.isa == "portable"
        assert received.predict(IMAGES).shape == (5, 10)
    with (
        Interpreter(float_tflite, runtime=OWN_KERNELS) as other,
        pytest.raises(UsageError, match="an interpreter of another runtime cannot be copied or sent"),
    ):
        pickle.dumps(other)
