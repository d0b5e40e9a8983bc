"""A phone to plug in, and an adb server of its own to plug it into."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.devices.phone.adbd import FEATURES, Adbd, Service
from tests.devices.phone.authorization import Authorization, Policy
from tests.devices.phone.root import write_cores, write_properties
from tests.devices.phone.shell_service import ShellService
from tests.devices.phone.sync_service import SyncService
from tests.devices.phone.system import System

PROPERTIES = {
    "ro.product.manufacturer": "Virtual",
    "ro.product.model": "Phone 1",
    "ro.product.name": "phone",
    "ro.product.device": "phone",
    "ro.product.cpu.abi": "arm64-v8a",
    "ro.product.cpu.abilist": "arm64-v8a",
    "ro.build.version.release": "14",
    "ro.build.version.sdk": "34",
    "ro.soc.manufacturer": "Debian",
    "ro.soc.model": "QEMU",
}
_BANNER = ("ro.product.name", "ro.product.model", "ro.product.device")


class Phone:
    """It boots in a folder of its own; `shut_down` ends it with all that runs on it.

    Args:
        folder: for its root; it is made.
        base: a root folder of `make_root`, which is copied.
        properties: what differs from PROPERTIES.
        policy: whom it lets in.
        disk: the size of /data/local/tmp, such as "2m"; empty: as large as this machine's.
        processor: as qemu names it.
        features: what its adbd promises.
    """

    def __init__(
        self,
        folder: Path,
        base: Path,
        *,
        properties: dict[str, str] | None = None,
        policy: Policy = "open",
        disk: str = "",
        processor: str = "cortex-a76",
        features: str = FEATURES,
    ) -> None:
        told = {**PROPERTIES, **(properties or {})}
        shutil.copytree(base, folder, symlinks=True)
        write_properties(folder, told)
        write_cores(folder, processor)
        self.system = System(folder, processor=processor, disk=disk)
        self.sync = SyncService(self.system)
        shell = ShellService(self.system)
        services: dict[str, Service] = {"shell": shell, "exec": shell, "sync": self.sync}
        self.authorization = Authorization(policy)
        self.adbd = Adbd({key: told[key] for key in _BANNER}, services, self.authorization, features)

    @property
    def serial(self) -> str:
        """What adb calls it once it is connected."""
        return f"127.0.0.1:{self.adbd.port}"

    def unplug_when(self, happens: Callable[[], bool], limit_s: float = 30) -> None:
        """Waits until something is so, then pulls the cable."""
        wait_until(happens, limit_s)
        self.adbd.unplug()

    def shut_down(self) -> None:
        """Unplugs it and ends all that runs on it."""
        self.adbd.unplug()
        self.system.shut_down()


StartPhone = Callable[..., Phone]


class AdbServer:
    """The real adb server, on a port and with keys of its own: no other is disturbed.

    Args:
        folder: for its keys and its log.
        port: a free one.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ANDROID_", "ADB"))},
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "ANDROID_ADB_SERVER_PORT": str(port),
            "ADB_MDNS_OPENSCREEN": "0",
        }

    def adb(self, *arguments: str, limit_s: float = 60) -> "subprocess.CompletedProcess[str]":
        """Runs the real client."""
        command = ["adb", "-P", str(self.port), *arguments]
        pipe = subprocess.PIPE
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, env=self.environment,
            timeout=limit_s, check=False,
        )  # fmt: skip

    def plug_in(self, phone: Phone, state: str = "device") -> None:
        """Connects it, and waits until it is in a state."""
        self.adb("connect", phone.serial)
        wait_until(lambda: self.states().get(phone.serial) == state, 20)

    def states(self) -> dict[str, str]:
        """The devices that it knows, with their states."""
        lines = self.adb("devices").stdout.splitlines()[1:]
        return dict(line.split("\t") for line in lines if "\t" in line)

    def end(self) -> None:
        """Ends the server."""
        with suppress(subprocess.TimeoutExpired):
            self.adb("kill-server", limit_s=10)


def wait_until(happens: Callable[[], bool], limit_s: float) -> None:
    """Waits until something is so.

    Raises:
        TimeoutError: it took too long.
    """
    deadline = time.monotonic() + limit_s
    while not happens():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        time.sleep(0.05)
