"""Deploying to a virtual Raspberry Pi: from nothing, interrupted, again, an upgrade that fails, and what it lacks."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from mobile_bnn import __version__
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.deploy import deploy, remove
from mobile_bnn.profiling.targets import TargetLostError, connect
from tests.devices.pi.board import Board
from tests.devices.pi.fixtures import DeployedPi, StartBoard
from tests.support.ssh_server import Client

pytest_plugins = ["tests.devices.pi.fixtures"]
pytestmark = pytest.mark.devices

HOME = ".local/share/mobile_bnn"


def test_an_interrupted_deployment_says_so_and_is_not_used(pi: DeployedPi) -> None:
    assert isinstance(pi.interruption, TargetLostError)
    assert str(pi.interruption) == (
        f"the connection to {pi.url} is lost: the board does not answer any more. "
        "Look after the board and its network, and run the command again"
    )
    assert pi.left == [pi.done.name], "the half of an installation, and no link to it"


def test_the_next_one_sends_nothing_twice_and_finishes(pi: DeployedPi) -> None:
    assert pi.sent_again == set()
    assert (pi.done.already_there, pi.done.url) == (False, pi.url)
    assert re.fullmatch(rf"{re.escape(__version__)}-[0-9a-f]{{12}}", pi.done.name)
    assert pi.done.about == {
        "mobile_bnn": __version__,
        "litert": pi.done.about["litert"],
        "isa": "neon_dot",
        "python": "3.11.2",
    }
    home = pi.board.home / HOME
    assert sorted(path.name for path in home.iterdir()) == [pi.done.name, "current"]
    assert (home / "current").readlink() == Path(pi.done.name)
    about = json.loads((home / "current" / "complete.json").read_text(encoding="utf-8"))
    assert about.items() >= pi.done.about.items()


def test_once_more_does_nothing(pi: DeployedPi, pi_wheel: Path) -> None:
    said: list[str] = []
    again = deploy(pi.url, wheel=pi_wheel, say=said.append, watch=lambda *_: said.append("a file was sent"))
    assert (again.already_there, again.name) == (True, pi.done.name)
    assert said == [f"looking at {pi.url}"]


def test_an_upgrade_that_does_not_run_replaces_nothing(pi: DeployedPi, pi_wheel: Path, tmp_path: Path) -> None:
    broken = tmp_path / pi_wheel.name
    with zipfile.ZipFile(pi_wheel) as source, zipfile.ZipFile(broken, "w") as target:
        for entry in source.infolist():
            if not entry.filename.endswith(".so"):
                target.writestr(entry, source.read(entry))
    with pytest.raises(MobileBnnError) as caught:
        deploy(pi.url, wheel=broken)
    assert str(caught.value) == (
        f"mobile_bnn does not run on {pi.url}, so that nothing there was replaced: "
        "mobile_bnn.errors.MobileBnnError: the native library of mobile_bnn is not installed: there is no "
        "libmobile_bnn_delegate.so. pip install mobile-bnn. Build the package anew, and try again"
    )
    assert (pi.board.home / HOME / "current").readlink() == Path(pi.done.name)
    target = connect(pi.url)
    try:
        assert target.describe().machine.architecture == "aarch64"
    finally:
        target.close()


@pytest.fixture
def trusted(fresh_pi: Board, client: Client) -> Board:
    client.trust(fresh_pi.host_key, fresh_pi.port)
    return fresh_pi


def test_without_the_venv_module(trusted: Board, pi_wheel: Path) -> None:
    with trusted.without("usr/lib/python3.11/venv"), pytest.raises(MobileBnnError) as caught:
        deploy(trusted.url, wheel=pi_wheel)
    assert str(caught.value) == (
        f"the Python of {trusted.url} lacks venv: the system splits Python over several packages. "
        "Run there: sudo apt install python3-venv"
    )


def test_on_a_full_disk(trusted: Board, pi_wheel: Path) -> None:
    with trusted.disk_of("40m", HOME), pytest.raises(TargetLostError) as caught:
        deploy(trusted.url, wheel=pi_wheel)
    message = str(caught.value)
    pattern = rf"the disk of {trusted.url} is full: mobile_bnn needs (\d+) MB, and (\d+) MB are free\. Make room there"
    found = re.fullmatch(pattern, message)
    assert found, message
    needed, free = map(int, found.groups())
    assert 100 < needed < 400
    assert 35 < free < 45


def test_a_32_bit_system(start_board: StartBoard, client: Client, pi_wheel: Path) -> None:
    board = start_board("armhf")
    client.trust(board.host_key, board.port)
    with pytest.raises(MobileBnnError) as caught:
        deploy(board.url, wheel=pi_wheel)
    assert str(caught.value) == (
        f"{board.url} runs a 32-bit system (armv7l): there are no 32-bit packages of LiteRT. "
        "Install Raspberry Pi OS (Legacy, 64-bit) with Raspberry Pi Imager, for the Pi 3, Zero 2 and newer"
    )


def test_nothing_deployed_yet(trusted: Board) -> None:
    with pytest.raises(MobileBnnError) as caught:
        connect(trusted.url)
    assert str(caught.value).startswith(f"mobile_bnn is not deployed on {trusted.url}: ")
    assert str(caught.value).endswith(f"No such file or directory. Run: mbnn deploy {trusted.url}")


def test_removing_takes_everything_away(trusted: Board, pi: DeployedPi) -> None:
    for folder in (HOME, ".cache/mobile_bnn"):
        shutil.copytree(pi.board.home / folder / "..", trusted.home / folder / "..", symlinks=True, dirs_exist_ok=True)
    trusted.run("chown", "-R", "pi:pi", "/home/pi")
    assert remove(trusted.url) == 2
    assert not list(trusted.home.rglob("*mobile_bnn*"))
    assert remove(trusted.url) == 0
