"""How many workers `-n auto` starts, and what was skipped for want of packages."""

import os

import psutil
import pytest

from mobile_bnn.wording import plural
from tests.support.packages import CURE

MEMORY_OF_A_WORKER = 3 * 2**30  # bytes, with TensorFlow and the largest network of the zoo


def workers(cores: int, memory: int) -> int:
    """One for each core, as far as the memory (bytes) reaches; at least one."""
    return max(1, min(cores, memory // MEMORY_OF_A_WORKER))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """The answer of `-n auto`: the cores that this process may use, as taskset and containers limit them."""
    return workers(len(os.sched_getaffinity(0)), psutil.virtual_memory().available)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how to run what was skipped."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if CURE in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"{plural(len(skipped), 'test was', 'tests were')} skipped, "
            f"for which Debian and Ubuntu have packages: {CURE} (as root)"
        )
