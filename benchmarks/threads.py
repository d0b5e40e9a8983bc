"""How many inferences several threads of one process make, each with an interpreter of its own, against one thread.

usage: python benchmarks/threads.py [MODEL.tflite] [--threads 2] [--rounds 10] [--seconds 1]

Without a model it is an untrained QuickNetSmall. One thread and several take turns, so that a busy machine does not
favour either; the figures are medians of the rounds. The CPU's time of an inference tells how much of a loss is the
machine's: it stays the same where threads only wait for a core. Exit code 1 if two threads (0.9 of each more) make
less than 1.8 times as many.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mobile_bnn.runtime import Interpreter

WANTED = 0.9  # of as many times the inferences as there are threads
CONVERT = """
import sys
from mobile_bnn import converters, zoo
converters.convert(zoo.build("quicknet_small"), sys.argv[1])
"""


class Worker:
    """Runs one interpreter for some time in a thread; counts its inferences and the CPU's time that they took."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        (detail,) = interpreter.input_details
        self._input = np.random.default_rng(0).normal(size=detail["shape"]).astype(detail["dtype"])
        self.inferences, self.cpu_s = 0, 0.0

    def run(self, seconds: float, together: threading.Barrier) -> None:
        """Counts from the moment at which all are ready."""
        together.wait()
        self.inferences, end, cpu = 0, time.perf_counter() + seconds, time.thread_time()
        while time.perf_counter() < end:
            self.interpreter.predict(self._input)
            self.inferences += 1
        self.cpu_s = time.thread_time() - cpu


def measure(workers: Sequence[Worker], seconds: float) -> tuple[float, float]:
    """Inferences per second of all, and the CPU's milliseconds of one."""
    together = threading.Barrier(len(workers))
    threads = [threading.Thread(target=worker.run, args=(seconds, together)) for worker in workers]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = sum(worker.inferences for worker in workers)
    elapsed = time.perf_counter() - began
    return count / elapsed, 1e3 * sum(worker.cpu_s for worker in workers) / count


def compare(model: Path, threads: int, rounds: int, seconds: float) -> float:
    """Prints the medians; returns how many times the inferences of one thread all of them make."""
    workers = [Worker(Interpreter(model)) for _ in range(threads)]
    measure(workers, seconds / 4)  # warms up
    one, several = [], []
    for _ in range(rounds):
        one.append(measure(workers[:1], seconds))
        several.append(measure(workers, seconds))
    ratio = statistics.median(after[0] / before[0] for before, after in zip(one, several, strict=True))
    load = os.getloadavg()[0]
    print(f"{model.name}: {workers[0].interpreter.isa}, {os.cpu_count()} logical cores, load {load:.1f}")
    for name, figures in (("1 thread", one), (f"{threads} threads", several)):
        rate, cpu = (statistics.median(figure[part] for figure in figures) for part in (0, 1))
        print(f"{name:>10}: {rate:9.1f} inferences/s, {cpu:8.3f} ms of a CPU each")
    print(f"{threads} threads make {ratio:.2f} times the inferences of one")
    return ratio


def main() -> int:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.model or Path(folder) / "quicknet_small.tflite"
        if arguments.model is None:  # in a process of its own: TensorFlow's threads stay out of this one
            subprocess.run([sys.executable, "-c", CONVERT, str(model)], check=True, capture_output=True)
        ratio = compare(model, arguments.threads, arguments.rounds, arguments.seconds)
    return int(ratio < WANTED * arguments.threads)


if __name__ == "__main__":
    sys.exit(main())
