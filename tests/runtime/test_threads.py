"""Threads that share an interpreter, close it, drop it, or get it from others: right results or one clear error."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.runtime import Interpreter

THREADS = 6


@pytest.fixture(scope="module")
def batches():
    """A batch for each thread, of sizes that make a shared interpreter resize nearly every time."""
    generator = np.random.default_rng(5)
    return [generator.normal(size=(1 + i % 3, 8, 8, 32)).astype(np.float32) for i in range(THREADS)]


@pytest.fixture(scope="module")
def expected(binary_tflite, batches):
    results = []
    for batch in batches:
        with Interpreter(binary_tflite) as interpreter:
            results.append(interpreter.predict(batch))
    return results


def in_threads(work, count=THREADS):
    """Calls work(number) in that many threads at once; what one raises is raised here."""
    together = threading.Barrier(count)

    def begin(number):
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


@pytest.mark.parametrize("num_threads", [1, 2])
def test_threads_that_share_an_interpreter_get_their_own_results(binary_tflite, batches, expected, num_threads):
    with Interpreter(binary_tflite, num_threads=num_threads) as interpreter:

        def work(number):
            for _ in range(150):
                np.testing.assert_array_equal(interpreter.predict(batches[number]), expected[number])

        in_threads(work)


def test_profiles_and_details_come_from_one_call_at_a_time(binary_tflite, batches, expected):
    with Interpreter(binary_tflite) as interpreter:

        def work(number):
            for _ in range(15):
                assert len(interpreter.input_details[0]["shape"]) == 4
                np.testing.assert_array_equal(interpreter.predict(batches[number]), expected[number])
                times = interpreter.profile(batches[number], runs=2)
                assert [time.name.split("+")[0] for time in times] == ["LceQuantize", "LceBconv2d", "LceBconv2d"]
                assert interpreter.output_details[0]["shape"].tolist()[1:] == [10]

        in_threads(work)


@pytest.mark.parametrize("num_threads", [1, 2])
def test_closing_ends_other_threads_with_a_clear_error(binary_tflite, batches, expected, num_threads):
    for _ in range(10):
        interpreter = Interpreter(binary_tflite, num_threads=num_threads)
        started = threading.Semaphore(0)

        def work(number, interpreter=interpreter, started=started):
            if number == 0:
                for _ in range(2 * (THREADS - 1)):
                    started.acquire()
                return interpreter.close()
            while True:
                try:
                    result = interpreter.predict(batches[number])
                except UsageError as error:
                    return str(error)
                np.testing.assert_array_equal(result, expected[number])
                started.release()

        assert in_threads(work) == [None, *["this interpreter is closed. Make a new one"] * (THREADS - 1)]


def test_closing_waits_for_the_inference_that_runs(binary_tflite, batches, expected):
    started, inside = threading.Event(), []

    class Watched(litert.Interpreter):
        def invoke(self):
            inside.append(threading.get_ident())
            started.set()
            time.sleep(0.05)
            super().invoke()
            inside.pop()

    runtime = SimpleNamespace(Interpreter=Watched, load_delegate=litert.load_delegate)
    for _ in range(5):
        started.clear()
        interpreter = Interpreter(binary_tflite, runtime=runtime)
        with ThreadPoolExecutor(1) as pool:
            result = pool.submit(interpreter.predict, batches[0])
            started.wait()
            interpreter.close()
            assert inside == []
            np.testing.assert_array_equal(result.result(), expected[0])


def test_an_interpreter_outlives_the_thread_that_made_it(binary_tflite, batches, expected):
    made = []
    maker = threading.Thread(target=lambda: made.append(Interpreter(binary_tflite, num_threads=2)))
    maker.start()
    maker.join()
    (interpreter,) = made
    np.testing.assert_array_equal(interpreter.predict(batches[1]), expected[1])
    user = ThreadPoolExecutor(1)
    np.testing.assert_array_equal(user.submit(interpreter.predict, batches[2]).result(), expected[2])
    user.submit(interpreter.close).result()
    user.shutdown()


def test_interpreters_that_are_collected_while_they_run(binary_tflite, tmp_path):
    # Freed memory is overwritten, so that what reads it crashes or is wrong. In a cycle the collector finalizes the
    # delegate before the runtime's interpreter that uses it.
    script = tmp_path / "collect.py"
    script.write_text(f"""
import gc, sys, threading
import numpy as np
from mobile_bnn.runtime import Interpreter

image = np.random.default_rng(0).normal(size=(2, 8, 8, 32)).astype(np.float32)
wanted = Interpreter({str(binary_tflite)!r}).predict(image)
wrong, stop = [], threading.Event()

class Owner:
    def __init__(self):
        self.itself = self
        self.interpreter = Interpreter({str(binary_tflite)!r}, num_threads=2)

def drop_while_running():
    for _ in range(15):
        owner = Owner()
        predict = owner.interpreter.predict
        del owner
        wrong.append(not np.array_equal(predict(image), wanted))
        wrong.append(not np.array_equal(Interpreter({str(binary_tflite)!r}).predict(image), wanted))

def collect():
    while not stop.is_set():
        gc.collect()

threads = [threading.Thread(target=drop_while_running) for _ in range(4)]
collector = threading.Thread(target=collect)
for thread in (*threads, collector):
    thread.start()
for thread in threads:
    thread.join()
stop.set()
collector.join()
assert len(wrong) == 120 and not any(wrong)
# And at the end of the process, while a daemon still runs.
last = Interpreter({str(binary_tflite)!r}, num_threads=2)
def run_on():
    while True:
        last.predict(image)
threading.Thread(target=run_on, daemon=True).start()
""")
    environment = {**os.environ, "MALLOC_PERTURB_": "165"}
    result = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=300)
    assert result.returncode == 0, result.stderr


def test_a_signal_handler_that_runs_the_interrupted_interpreter_is_refused(binary_tflite, batches, expected):
    told = []
    with Interpreter(binary_tflite) as interpreter:

        def handle(number, frame):
            try:
                np.testing.assert_array_equal(interpreter.predict(batches[2]), expected[2])
            except MobileBnnError as error:
                told.append(str(error))

        before = signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        try:
            deadline = time.monotonic() + 60
            while not told and time.monotonic() < deadline:
                np.testing.assert_array_equal(interpreter.predict(batches[1]), expected[1])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert told[0] == "the interpreter is running: a signal interrupted predict() to call it again"
        np.testing.assert_array_equal(interpreter.predict(batches[1]), expected[1])


def test_an_array_that_closes_the_interpreter_that_it_is_given_to(binary_tflite, batches):
    interpreter = Interpreter(binary_tflite)

    class Closing:
        def __array__(self, *_, **__):
            interpreter.close()
            return batches[0]

    with pytest.raises(UsageError, match="this interpreter is closed"):
        interpreter.predict(Closing())
