"""When a measurement counts as slowed down by heat or by its supply."""

import pytest

from mobile_bnn.profile_records import Condition, Round
from mobile_bnn.profiling.summary import is_throttled


def taken(before: list[str] | None, after: list[str] | None, mhz: list[float] | None = None) -> Round:
    """A round between these."""
    ends = {"before": Condition(throttled=before), "after": Condition(throttled=after, mhz=mhz)}
    return Round(runs=9, median_ms=1.0, load_ms=1.0, first_ms=1.0, **ends)


@pytest.mark.parametrize(
    ("rounds", "highest", "slowed"),
    [
        ([taken(None, None)], None, False),
        ([taken([], [])], None, False),
        ([taken(["throttled"], ["throttled"])], None, False),  # long ago
        ([taken([], ["throttled"])], None, True),
        ([taken([], []), taken([], ["under-voltage now"])], None, True),
        ([taken(["heat"], ["heat"], [1800, 1800])], 1800.0, False),
        ([taken([], [], [1800, 1800]), taken([], [], [1500, 1500])], 1800.0, True),
        ([taken([], [], [1600, 1600])], 1800.0, False),
        ([taken([], [], [1500])], None, False),
    ],
)
def test_throttling(rounds: list[Round], highest: float | None, slowed: bool) -> None:
    assert is_throttled(rounds, highest) is slowed
