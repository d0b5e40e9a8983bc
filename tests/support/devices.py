"""Tests marked `devices` start a virtual Raspberry Pi or phone, for minutes: `pytest --devices tests/devices`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Whether they run."""
    parser.addoption("--devices", action="store_true", help="run the tests on virtual devices too (make test-devices)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves them out unless they are asked for."""
    if config.getoption("--devices"):
        return
    left_out = [item for item in items if item.get_closest_marker("devices")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
