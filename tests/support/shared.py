"""What the workers of one run share: a folder, the locks in it, and what is made only once."""

import fcntl
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController


_FOLDER = pytest.StashKey[Path]()


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds the lock of a file, which a killed process leaves free; the file is made where there is none.

    It is given back in so many words: processes that the holder forked keep the file open.
    """
    with path.open("a") as file:
        fcntl.flock(file, how)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def folder_of(config: pytest.Config) -> Path:
    """The folder that all workers of this run see; it is removed at the end."""
    return config.stash[_FOLDER]


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get("shared_folder")
    config.stash[_FOLDER] = Path(given or tempfile.mkdtemp(prefix="mobile_bnn_tests_"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """pytest-xdist is about to start a worker."""
    node.workerinput["shared_folder"] = str(folder_of(node.config))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _FOLDER in config.stash:
        shutil.rmtree(folder_of(config), ignore_errors=True)


class Once:
    """Makes what takes long for the first worker that asks; the others wait for it, and read it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder of that name, filled by make(folder) in one of the workers. Tests only read it.

        A `make` that fails, fails in each worker that asks.
        """
        folder = self.root / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock")):
            if not folder.exists():
                part = folder.with_name(f"{folder.name}.part")
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir()
                make(part)
                part.rename(folder)
        return folder


@pytest.fixture(scope="session")
def once(pytestconfig: pytest.Config) -> Once:
    """once("name", make): a folder that make(folder) fills once for all workers."""
    return Once(folder_of(pytestconfig) / "once")


@pytest.fixture
def ports(pytestconfig: pytest.Config) -> Iterator[Callable[[int], list[int]]]:
    """ports(2): free ports of 127.0.0.1, which no other test takes while this one runs."""
    with locked(folder_of(pytestconfig) / "ports.lock"):
        yield _free_ports


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
