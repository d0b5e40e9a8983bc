"""Fixtures of tests on a virtual Raspberry Pi."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profiling.deploy import Deployed, deploy
from tests.devices.pi.board import Board
from tests.devices.pi.system import need_system
from tests.support.shared import Once
from tests.support.ssh_server import Client, Relay, free_port
from tests.support.tools import ROOT

StartBoard = Callable[..., Board]


@pytest.fixture(scope="session")
def pi_wheel(once: Once) -> Path:
    """Our package for 64-bit ARM, of these very sources."""
    need_system("arm64")

    def make(folder: Path) -> None:
        subprocess.run(
            ["sh", "tools/wheel.sh", sys.executable, "aarch64", str(folder)], check=True, cwd=ROOT, capture_output=True
        )

    (path,) = once("wheel_aarch64", make).glob("*.whl")
    return path


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The home folder of the one who connects, with a key that boards know."""
    return Client(tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="session")
def home(client: Client) -> Iterator[dict[str, str]]:
    """Lets this process live there, and gives the variables for others; packages that were got before are found."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    with pytest.MonkeyPatch.context() as patch:
        variables = {
            "MBNN_CACHE": os.environ.get("MBNN_CACHE") or str(Path(caches, "mobile_bnn")),
            "HOME": str(client.home),
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        yield variables


@pytest.fixture(scope="session")
def start_board(client: Client, home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartBoard]:
    """start_board("arm64"): a board with nothing on it but its system; it is shut down at the end."""
    with ExitStack() as running:

        def start(arch: str = "arm64") -> Board:
            root = need_system(arch)
            folder = tmp_path_factory.mktemp("board")
            for each in (folder.parent, folder):
                each.chmod(0o755)  # the board's own users must get to their home folders
            board = Board(folder / arch, root, free_port(), [client.public_key])
            running.callback(board.shut_down)
            return board

        yield start


@pytest.fixture(scope="session")
def fresh_pi(start_board: StartBoard) -> Board:
    """A virtual Raspberry Pi on which nothing was deployed."""
    return start_board()


@dataclass
class DeployedPi:
    """A virtual Raspberry Pi with mobile_bnn, and how it came there.

    Attributes:
        board: the device.
        relay: what the way to it leads through.
        url: through the relay.
        interruption: how the first attempt ended, whose cable was pulled while packages were installed.
        left: installations that it left, and whether any is current.
        sent_again: names of the files that the second attempt sent.
        done: what the second attempt says.
    """

    board: Board
    relay: Relay
    url: str
    interruption: MobileBnnError
    left: list[str]
    sent_again: set[str]
    done: Deployed


@pytest.fixture(scope="session")
def pi(start_board: StartBoard, client: Client, pi_wheel: Path) -> Iterator[DeployedPi]:
    """A virtual Raspberry Pi with mobile_bnn: the second attempt, after one that was interrupted."""
    board = start_board()
    relay = Relay(board.port)
    client.trust(board.host_key, board.port, relay.port)
    url = board.url.replace(str(board.port), str(relay.port))

    def pull(what: str) -> None:
        if what.startswith("installing"):
            relay.cut_soon(5)

    try:
        with pytest.raises(MobileBnnError) as caught:
            deploy(url, wheel=pi_wheel, say=pull)
        board.wait_until_nothing_runs("pip", 10)
        left = sorted(path.name for path in (board.home / ".local/share/mobile_bnn").iterdir())
        sent: set[str] = set()
        done = deploy(url, wheel=pi_wheel, watch=lambda name, *_: sent.add(name))
        yield DeployedPi(board, relay, url, caught.value, left, sent, done)
    finally:
        relay.close()
