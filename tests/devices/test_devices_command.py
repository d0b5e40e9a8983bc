"""`mbnn devices` beside real adb: phones that are ready, that do not trust this computer, that are pulled out."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mobile_bnn.cli import devices
from mobile_bnn.cli.console import reported
from tests.devices.phone.phone import AdbServer, StartPhone

pytest_plugins = ["tests.devices.phone.fixtures"]
pytestmark = pytest.mark.devices


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(reported(devices.command))
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_phones_are_listed_with_their_states(adb_server: AdbServer, start_phone: StartPhone) -> None:
    ready, stranger = start_phone(), start_phone(policy="refuses", state="unauthorized")
    code, text = run("--json")
    assert code == 0
    states = {each["url"]: each["state"] for each in json.loads(text)["targets"]}
    assert states[f"adb://{ready.serial}"] == "ready"
    assert states[f"adb://{stranger.serial}"] == "unauthorized"
    assert next(iter(states)) == "local"


def test_a_phone_that_does_not_answer_is_a_line_and_this_machine_is_told(
    adb_server: AdbServer, start_phone: StartPhone
) -> None:
    stranger = start_phone(policy="refuses", state="unauthorized")
    code, text = run(f"adb://{stranger.serial}", "local")
    assert code == 1
    assert f"error: adb://{stranger.serial}: the phone {stranger.serial} cannot be used" in text
    assert "Engine litert" in text
    assert "Traceback" not in text
