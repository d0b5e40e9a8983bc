"""Tests marked `alone` measure time or need every core: no other worker runs a test meanwhile."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.shared import folder_of, locked


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Shares the lock with other tests, or has it alone.

    Who asks for it passes a turnstile that a test which waits for the others keeps shut: else they would follow each
    other for ever.
    """
    folder = folder_of(item.config)
    alone = item.get_closest_marker("alone") is not None
    with ExitStack() as running:
        with locked(folder / "turnstile.lock"):
            running.enter_context(locked(folder / "running.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        return (yield)
