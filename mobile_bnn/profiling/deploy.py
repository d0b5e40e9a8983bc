"""Lays mobile_bnn on a device that has none of it, or takes it away again: `deploy("ssh://pi@raspberrypi")`."""

import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.names import look_up
from mobile_bnn.profiling.deployment import facts as board
from mobile_bnn.profiling.deployment import installer
from mobile_bnn.profiling.deployment.wheels import Package, gather, our_package, unpacked_bytes
from mobile_bnn.profiling.targets.discovery import remember
from mobile_bnn.profiling.targets.ssh_connection import SshConnection
from mobile_bnn.profiling.targets.ssh_keeper import FILES, Keeper, Uploading
from mobile_bnn.profiling.targets.target import TargetLostError

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = "~/.local/share/mobile_bnn"
CACHE = "~/.cache/mobile_bnn"
_SPARE = 20_000_000  # bytes that stay free on the device
_STEP_S = 3600.0  # a slow card, an old board

Saying = Callable[[str], None]


@dataclass(frozen=True)
class Deployed:
    """What is on a device now.

    Attributes:
        url: of the device.
        name: of the installation: the version, and a hash of what decides its content.
        already_there: whether nothing was done.
        about: what is installed, by name: mobile_bnn, litert, python, isa.
    """

    url: str
    name: str
    already_there: bool
    about: dict[str, str]


def deploy(
    url: str,
    *,
    wheel: Path | None = None,
    tflite: Path | None = None,
    say: Saying = lambda what: None,
    watch: Uploading | None = None,
) -> Deployed:
    """Lays mobile_bnn and all it needs on a device, which needs no network; what is there already stays.

    An installation is used when it has been proved by running a model; until then the one before stays in use.

    Args:
        url: ssh://user@host, or adb://SERIAL.
        wheel: our package for a board; the newest in dist/ by default. A phone takes none.
        tflite: an .aar or .so with TensorFlow Lite for a phone. A board takes none.
        say: is called with what is being done.
        watch: is called while a file is sent, with its name, the bytes that have gone, and all of them.

    Raises:
        UsageError: there is no such kind of device, or `wheel` does not fit it.
        TargetLostError: the device cannot be reached any more, or its disk is full.
        MobileBnnError: the device lacks something, or the packages cannot be got.
    """
    kinds: dict[str, Callable[..., Deployed]]
    kinds = {"ssh": _deploy_ssh, "adb": _deploy_adb, "local": _refuse_local}
    done = look_up("target", url.partition("://")[0], kinds)(url, wheel, tflite, say, watch)
    remember(url)  # for `mbnn devices`, which could not know it otherwise
    return done


def remove(url: str) -> int:
    """Takes everything from a device that `deploy` and measurements have laid there.

    Returns:
        How many folders there were.

    Raises:
        UsageError: there is no such kind of device.
        TargetLostError: the device cannot be reached any more.
        MobileBnnError: a measurement is going on there.
    """
    kinds: dict[str, Callable[[str], int]]
    kinds = {"ssh": _remove_ssh, "adb": _remove_adb, "local": _refuse_local}
    return look_up("target", url.partition("://")[0], kinds)(url)


def _refuse_local(url: str, *_: Any) -> Any:
    raise UsageError(
        "nothing is deployed on local", why="it is this machine, where mobile_bnn runs", cure="Give ssh://user@host"
    )


def _deploy_adb(url: str, wheel: Path | None, tflite: Path | None, say: Saying, watch: Uploading | None) -> Deployed:
    from mobile_bnn.profiling import deploy_adb

    return deploy_adb.deploy(url, tflite=tflite, wheel=wheel, say=say, watch=watch)


def _remove_adb(url: str) -> int:
    from mobile_bnn.profiling import deploy_adb

    return deploy_adb.remove(url)


@contextmanager
def _on(url: str) -> "Iterator[tuple[Keeper, board.Facts]]":
    """A board that a session of ours has taken, and what it is."""
    connection = SshConnection(url)
    try:
        facts = board.look(connection)
        if problem := board.explain(facts, url):
            raise problem
        keeper = Keeper(connection, facts.python)
        try:
            keeper.take_lock()
            yield keeper, facts
        finally:
            keeper.close()
    finally:
        connection.close()


def _remove_ssh(url: str) -> int:
    with _on(url) as (keeper, _):
        count = keeper.remove([HOME, FILES])
        keeper.remove([CACHE])  # where the lock is, which this very session has made
        return count


def _deploy_ssh(url: str, wheel: Path | None, tflite: Path | None, say: Saying, watch: Uploading | None) -> Deployed:
    if tflite is not None:
        raise UsageError(
            f"{tflite} cannot be laid on a board", why="it gets LiteRT's package", cure="Leave --tflite away"
        )
    say(f"looking at {url}")
    with _on(url) as (keeper, facts):
        package = our_package(facts, wheel)
        step = _Steps(keeper, facts, package.key)
        found = step("look")
        if package.key in found["names"] and found["current"] == package.key:
            return Deployed(url, package.key, True, {})
        if package.key not in found["names"]:
            say(f"getting the packages for Python {facts.version[0]}.{facts.version[1]} on {facts.machine}")
            _install(step, keeper, facts, package, url, say, watch)
        say("running a model there")
        about = _proved(step("check"), url) | {"python": ".".join(map(str, facts.version))}
        step("switch", about={**about, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
        keeper.remove([f"{FILES}/{sha256(package.path)}"])  # the others stay, for the next version
        return Deployed(url, package.key, False, about)


def _install(
    step: "_Steps",
    keeper: Keeper,
    facts: board.Facts,
    package: Package,
    url: str,
    say: Saying,
    watch: Uploading | None,
) -> None:
    wheels = gather(package, facts)
    needed = sum(path.stat().st_size for path in wheels) + unpacked_bytes(wheels) + _SPARE
    if facts.free_bytes < needed:
        raise full(url, facts.free_bytes, needed)
    say(f"sending {len(wheels)} packages")
    sent = {path.name: keeper.put(path, watch=watch) for path in wheels}
    say("installing them there")
    ended = step("install", wheels=sent, ours=package.path.name)
    if "No space left" in ended["error"]:
        raise full(url, 0, needed)
    if ended["returncode"] != 0:
        raise MobileBnnError(f"the packages cannot be installed on {url}", why=ended["error"])


def _proved(checked: dict[str, Any], url: str) -> dict[str, str]:
    if checked["returncode"] != 0:
        raise MobileBnnError(
            f"mobile_bnn does not run on {url}, so that nothing there was replaced",
            why=checked["error"],
            cure="Build the package anew, and try again",
        )
    return {str(name): str(value) for name, value in json.loads(checked["says"].splitlines()[-1]).items()}


def full(url: str, free: int, needed: int) -> TargetLostError:
    """The board has too few bytes left for what is to be laid there."""
    return TargetLostError(
        f"the disk of {url} is full",
        why=f"mobile_bnn needs {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free",
        cure="Make room there",
    )


class _Steps:
    """Runs steps of installer.py on a board."""

    def __init__(self, keeper: Keeper, facts: board.Facts, name: str) -> None:
        self._keeper, self._python, self._name = keeper, facts.python, name
        self._source = Path(installer.__file__).read_text(encoding="utf-8")

    def __call__(self, step: str, **more: Any) -> dict[str, Any]:
        request = json.dumps({"step": step, "home": HOME, "name": self._name, **more}).encode("utf-8")
        ended = self._keeper.run([self._python, "-I", "-c", self._source], request, _STEP_S)
        if ended.returncode != 0:
            lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
            raise MobileBnnError("a step of the deployment failed there", why=lines[-1] if lines else "")
        return dict(json.loads(ended.stdout.splitlines()[-1]))
