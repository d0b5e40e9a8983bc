"""Which targets are known without asking, and what is told of those that are asked."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from mobile_bnn.cli import devices
from mobile_bnn.cli.console import reported
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profile_records import Condition, CoreKind, Machine
from mobile_bnn.profiling.android import device as android
from mobile_bnn.profiling.messages import EngineInfo, TargetInfo
from mobile_bnn.profiling.targets import discovery
from mobile_bnn.report.targets import target

CONFIG = """
Host pi *.local !secret
  HostName 10.0.0.2
host = "board two"
Match host x
Host "unfinished
  # Host commented
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, in which nothing was reached yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return tmp_path


@pytest.fixture
def phones(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What adb is to know; the virtual phones of tests/devices are behind a real one."""
    known: dict[str, str] = {}
    monkeypatch.setattr(android, "known_devices", lambda: known)
    return known


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(reported(devices.command))
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_names_of_ssh_config(home: Path) -> None:
    assert discovery.ssh_names(home) == []
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text(CONFIG)
    assert discovery.ssh_names(home) == ["pi", "board two"]


def test_all_kinds_are_listed(home: Path, phones: dict[str, str]) -> None:
    phones.update({"R58": "device", "emulator-5554": "offline"})
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text("Host pi nano\n")
    discovery.remember("ssh://pi")
    discovery.remember("ssh://me@far:2222")
    found = discovery.find_targets()
    assert [(each.url, each.state) for each in found.candidates[1:]] == [
        ("adb://R58", "ready"),
        ("adb://emulator-5554", "offline"),
        ("ssh://me@far:2222", "reached before"),
        ("ssh://pi", "reached before"),
        ("ssh://nano", "named in ~/.ssh/config, never reached"),
    ]
    assert found.candidates[0].url == "local"
    code, text = run()
    assert code == 0
    assert "adb://emulator-5554" in text
    listed = json.loads(run("--json")[1])
    assert [each["url"] for each in listed["targets"]] == [each.url for each in found.candidates]


def test_what_is_missing_for_phones_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android, "find_spec", lambda name: None)
    code, text = run()
    assert code == 0
    assert "note: phones cannot be reached: the package adbutils is missing. pip install 'mobile-bnn[devices]'" in text
    assert "local" in text


def test_a_board_is_remembered_once_the_last_one_first(home: Path) -> None:
    for url in ("ssh://a", "ssh://b", "local", "adb://X", "ssh://a"):
        discovery.remember(url)
    assert discovery.remembered() == ["ssh://a", "ssh://b"]
    memory = home / ".local" / "state" / "mobile_bnn" / "targets.json"
    memory.write_text("{")
    assert discovery.remembered() == []
    memory.write_text('{"a": 1}')
    assert discovery.remembered() == []


def test_a_state_folder_that_is_a_file_is_no_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "file"))
    discovery.remember("ssh://a")
    assert discovery.remembered() == []


def test_this_machine_is_described_and_a_failure_does_not_stop_others() -> None:
    code, text = run("locol", "local", "ssh://")
    assert code == 1
    assert "error: locol: unknown target 'locol'. Did you mean local?" in text
    assert "error: ssh://: the target 'ssh://' is malformed: it names no host" in text
    assert "Engine litert" in text
    assert "Architecture" in text
    assert "Traceback" not in text


def test_json_of_this_machine() -> None:
    code, text = run("local", "--json")
    assert code == 0
    (found,) = json.loads(text)["targets"]
    assert found["error"] is None
    told = TargetInfo.model_validate(found["info"])
    assert told.machine.logical_cores >= 1
    assert [each.name for each in told.engines] == ["delegate", "lce", "litert"]


def info(**facts: Any) -> TargetInfo:
    fields: dict[str, Any] = {
        "system": "Linux 6.6",
        "cpu": "Cortex-A76",
        "architecture": "aarch64",
        "logical_cores": 8,
        "memory_bytes": 8_000_000_000,
        "governor": "ondemand",
        "flags": ["asimd"],
        "load_1min": 0.5,
        "python": "",
    }
    engines = [
        EngineInfo(name="delegate", version="0.1.0", kernels=("auto",), further_kernels=("dotprod",)),
        EngineInfo(name="lce", version="", kernels=(), unavailable="larq-compute-engine is not installed"),
    ]
    condition = facts.pop("condition", Condition())
    return TargetInfo(machine=Machine.model_validate(fields | facts), condition=condition, engines=engines)


def test_a_target_tells_kinds_of_cores_heat_and_engines() -> None:
    kinds = [
        CoreKind(name="big", cpus=[4, 5, 7], max_mhz=2400),
        CoreKind(name="little", cpus=[0, 1, 2, 3], max_mhz=1800),
    ]
    condition = Condition(temperature_c=61.4, mhz=[1800, 2400], throttled=["frequency capped now"])
    told = dict(target("adb://X", info(cores=kinds, condition=condition, android_api=34, board="Pixel 8")).rows)
    assert told["Cores"] == "3 big (4-5, 7) up to 2,400 MHz, 4 little (0-3) up to 1,800 MHz"
    assert told["Temperature"] == "61 °C"
    assert told["Throttled"] == "frequency capped now"
    assert told["Clock now"] == "1,800 to 2,400 MHz on 2 cores"
    assert told["Android API"] == "34"
    assert told["Engine delegate"] == "0.1.0"
    assert told["Engine lce"] == "not here: larq-compute-engine is not installed"
    assert "Python" not in told
    assert "Emulated" not in told


def test_an_emulated_target_says_so_and_one_that_tells_nothing_is_not_called_cool() -> None:
    told = dict(target("ssh://pi", info(emulated=True)).rows)
    assert told["Emulated"] == "yes: its times say nothing of a real device"
    assert told["Throttled"] == "not told"
    assert "Temperature" not in told
    assert told["Cores"] == "8"
    assert dict(target("x", info(condition=Condition(throttled=[]))).rows)["Throttled"] == "no"


def test_adb_that_cannot_be_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> dict[str, str]:
        raise MobileBnnError("adb cannot be run", why="no such file", cure="Install it")

    monkeypatch.setattr(android, "known_devices", refuse)
    assert discovery.find_targets().notes == ["adb cannot be run: no such file. Install it"]
