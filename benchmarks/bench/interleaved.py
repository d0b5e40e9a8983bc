"""Times several inferences in turns, so that a machine that slows down slows all of them."""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from inference import Inference

Key = TypeVar("Key", bound=Hashable)
WARM_UP = 2  # rounds that do not count
SETTLE_SECONDS = 0.02  # the former engine has filled the caches, and its threads may still look for work


def measure(inferences: Mapping[Key, Inference], rounds: int, on_round: Callable[[], None]) -> dict[Key, float]:
    """Median milliseconds of each over the rounds; in a round each settles, then one inference is timed."""
    times: dict[Key, list[float]] = {key: [] for key in inferences}
    for number in range(WARM_UP + rounds):
        for key, infer in inferences.items():
            _settle(infer)
            start = time.perf_counter()
            infer()
            if number >= WARM_UP:
                times[key].append((time.perf_counter() - start) * 1e3)
        on_round()
    return {key: statistics.median(values) for key, values in times.items()}


def _settle(infer: Inference) -> None:
    end = time.perf_counter() + SETTLE_SECONDS
    infer()
    while time.perf_counter() < end:
        infer()
