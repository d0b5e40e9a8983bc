"""Gives every thread of a thread pool a core of its own, whichever engine the pool belongs to.

Left alone, some kernels wake a pool's thread on the core of the thread that waits for it: seen in a virtual machine,
where an idle core counts as taken away by the host. Neither two threads nor any engine are faster than one then.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path

from inference import Inference


@contextmanager
def main_thread_pinned() -> Iterator[list[int]]:
    """Keeps this thread on the first core while the block runs; yields the other cores (the first if it is alone)."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    try:
        yield cores[1:] or cores
    finally:
        os.sched_setaffinity(0, cores)


def load_pinned(load: Callable[[], Inference], cores: list[int]) -> Inference:
    """Loads, runs once, and puts the threads that were started over the cores in turn."""
    before = _threads()
    infer = load()
    infer()
    for thread, core in zip(sorted(_threads() - before), cycle(cores), strict=False):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(thread, {core})
    return infer


def _threads() -> set[int]:
    return {int(path.name) for path in Path("/proc/self/task").iterdir()}
