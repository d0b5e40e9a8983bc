"""Frees what tests leave in TensorFlow's registry of gradients: with the zoo's networks workers grew to 9 GB."""

import gc
import sys
from collections.abc import Iterator

import psutil
import pytest

# Collecting takes a tenth of a second and more, so only tests that left a large network behind pay for it.
GROWTH = 300 * 2**20  # bytes

_process = psutil.Process()
_collected_at = _process.memory_info().rss


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Around a test and its fixtures."""
    global _collected_at
    if "tensorflow" not in sys.modules:
        return (yield)
    from mobile_bnn.legacy_keras import traces_freed

    with traces_freed():
        outcome = yield
    if _process.memory_info().rss - _collected_at > GROWTH:
        gc.collect()
        _collected_at = _process.memory_info().rss
    return outcome
