"""docs/raspberry-pi.md, followed word by word on a virtual Raspberry Pi that has nothing on it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.devices.pi.fixtures import StartBoard
from tests.support.ssh_server import HOST, Client
from tests.support.tools import ENVIRONMENT, ROOT

pytest_plugins = ["tests.devices.pi.fixtures"]
pytestmark = [pytest.mark.devices, pytest.mark.slow]

PAGE = (ROOT / "docs" / "raspberry-pi.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """What the page has a user type on the PC, from step 3 on."""
    steps = PAGE.partition("## 3.")[2].partition("## When")[0]
    return [line.strip() for line in re.findall(r"^    (mbnn .*)$", steps, re.MULTILINE)]


def test_from_nothing_to_a_report(
    start_board: StartBoard, client: Client, pi_wheel: Path, tmp_path: Path, home: dict[str, str]
) -> None:
    board = start_board()
    (client.ssh / "config").write_text(f"Host raspberrypi\n HostName {HOST}\n Port {board.port}\n", encoding="utf-8")
    hello = ["ssh", "-F", client.ssh / "config", "-o", f"UserKnownHostsFile={client.ssh}/known_hosts"]
    hello += ["-o", "StrictHostKeyChecking=accept-new", "-i", client.ssh / "id_ed25519", "pi@raspberrypi", "exit"]
    subprocess.run(hello, check=True, capture_output=True)
    (tmp_path / "dist").mkdir()
    shutil.copy(pi_wheel, tmp_path / "dist")
    shutil.copytree(ROOT / "tests/fixtures/version_1/run", tmp_path / "runs/demo")
    told: dict[str, str] = {}
    assert len(commands()) == 4
    for line in commands():
        ended = subprocess.run(line.split(), cwd=tmp_path, env={**ENVIRONMENT, **home}, capture_output=True, text=True)
        assert ended.returncode == 0, f"{line}\n{ended.stdout}\n{ended.stderr}"
        told[line] = ended.stdout
    deploy, profile, report, remove = commands()
    pattern = r"0\.1\.0-[0-9a-f]{12} on ssh://pi@raspberrypi is there now: mobile_bnn \S+, litert \S+, isa neon_dot, "
    assert re.match(pattern, told[deploy])
    assert told[deploy].splitlines()[1] == "next: mbnn profile MODEL.tflite --target ssh://pi@raspberrypi"
    (record,) = (tmp_path / "runs/demo/profiles").glob("*.json")
    found = json.loads(record.read_text(encoding="utf-8"))
    assert (found["target"], found["machine"]["architecture"]) == ("ssh://pi@raspberrypi", "aarch64")
    assert found["machine"]["emulated"] is True
    assert any(each["engine"] == "delegate" and each["delegated_operators"] for each in found["measurements"])
    assert "emulated" in told[profile]
    assert (tmp_path / "runs/demo/report.html").is_file()
    assert "ssh://pi@raspberrypi" in told[report]
    assert told[remove] == "removed from ssh://pi@raspberrypi\n"
    assert not list(board.home.rglob("*mobile_bnn*"))
    assert not board.running("keeper")
    assert not board.running("python")
