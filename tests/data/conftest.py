"""Keeps the developer's own local copies out of the tests that do not ask for them."""

import pytest


@pytest.fixture(autouse=True)
def no_data_dir_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MBNN_DATA_DIR", raising=False)
