"""A device of the adb server: found by its serial number, or as the only one, with the reason where there is none."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from subprocess import SubprocessError
from typing import TYPE_CHECKING, Any

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.profiling.targets.target import TargetLostError

if TYPE_CHECKING:
    from adbutils import AdbConnection

# How long the phone may be silent, in seconds, where nothing else is said.
PATIENCE_S = 60.0
_CONNECTING_S = 15.0
_STATES = {
    "unauthorized": ("it does not trust this computer", "Unlock it and accept the dialog that asks for USB debugging"),
    "authorizing": ("it has not answered yet whether it trusts this computer", "Unlock it, and try again"),
    "offline": ("it does not answer", "Plug it in again, or run `adb reconnect`"),
    "no permissions": (
        "this user may not open the USB device",
        "Add a udev rule for it (the package android-sdk-platform-tools-common has them), and plug it in again",
    ),
    "recovery": ("it is in recovery mode", "Let it boot Android"),
    "sideload": ("it is in sideload mode", "Let it boot Android"),
    "bootloader": ("it is in its boot loader", "Let it boot Android"),
}


class Device:
    """A device that adb can talk to.

    Attributes:
        serial: what adb calls it, such as R58M123ABC or 127.0.0.1:5555.
    """

    def __init__(self, serial: str, server: Any) -> None:
        self.serial, self._server = serial, server

    @contextmanager
    def open(self, service: str, patience_s: float = PATIENCE_S) -> Iterator["AdbConnection"]:
        """A connection to a service of the device, such as "sync:", which is closed in the end.

        Raises:
            TargetLostError: the device has gone, or is silent for longer than `patience_s`.
        """
        from adbutils import AdbError, AdbTimeout

        connection = None
        try:
            connection = self._server.device(serial=self.serial).open_transport(timeout=patience_s)
            connection.send_command(service)
            connection.check_okay()
            yield connection
        except (TimeoutError, AdbTimeout) as error:
            raise self.lost(f"it is silent for {patience_s:.0f} seconds") from error
        except (EOFError, struct.error) as error:
            raise self.lost("it was unplugged, or adb was stopped") from error
        except (AdbError, OSError, ValueError) as error:
            raise self.lost(first_line(error)) from error
        finally:
            if connection is not None:
                connection.close()

    def features(self) -> set[str]:
        """What its adbd promises, such as shell_v2.

        Raises:
            TargetLostError: the device has gone.
        """
        from adbutils import AdbError

        try:
            return set(self._server.device(serial=self.serial).get_features().split(","))
        except (AdbError, OSError, ValueError) as error:
            raise self.lost(first_line(error)) from error

    def lost(self, why: str) -> TargetLostError:
        """The error for a device that no longer answers."""
        return TargetLostError(
            f"the connection to the phone {self.serial} is lost",
            why=why,
            cure="Plug it in, and try again",
        )


def find_device(serial: str = "") -> Device:
    """The device with that serial number; if none is given, the one that ANDROID_SERIAL names, or the only one.

    The adb server is started if it does not run, and is told to connect to a HOST:PORT that it does not know.

    Raises:
        UsageError: there are several, and none is named.
        MobileBnnError: adb or adbutils is missing, there is no such device, or it does not let this computer in.
    """
    from_environment = "" if serial else os.environ.get("ANDROID_SERIAL", "")
    serial = serial or from_environment
    server = _server()
    states = _states(server)
    if serial and serial not in states and ":" in serial:
        _connect(server, serial)
        states = _states(server)
    if serial and serial not in states:
        who = "ANDROID_SERIAL names it, and " if from_environment else ""
        raise MobileBnnError(f"there is no phone {serial}", why=who + _listed(states), cure=_CURE)
    if not states:
        raise MobileBnnError("there is no phone", why="adb knows no device", cure=_CURE)
    if not serial and len(states) > 1:
        names = ", ".join(f"adb://{each}" for each in states)
        raise UsageError("there are several phones", why=_listed(states), cure=f"Name one of them: {names}")
    serial = serial or next(iter(states))
    if states[serial] != "device":
        why, cure = _STATES.get(states[serial], (f"it is {states[serial]}", "Let it boot Android"))
        raise MobileBnnError(f"the phone {serial} cannot be used", why=why, cure=cure)
    return Device(serial, server)


def known_devices() -> dict[str, str]:
    """The serial numbers that adb knows, with their states in adb's words: "device" is ready.

    Raises:
        MobileBnnError: adb or adbutils is missing.
    """
    return _states(_server())


_CURE = "Plug it in, and turn on USB debugging in its developer options; `adb devices` lists those that are found"


def _listed(states: dict[str, str]) -> str:
    known = ", ".join(serial if state == "device" else f"{serial} ({state})" for serial, state in states.items())
    return f"adb knows {known or 'no device'}"


def _server() -> Any:
    if find_spec("adbutils") is None:
        raise MobileBnnError(
            "phones cannot be reached", why="the package adbutils is missing", cure="pip install 'mobile-bnn[devices]'"
        )
    from adbutils import AdbClient

    return AdbClient()


def _states(server: Any) -> dict[str, str]:
    """The devices with their states, in adb's words."""
    from adbutils import AdbError

    try:
        with caught_stderr():  # adb tells at length that it has started its server
            return {each.serial: each.state for each in server.list()}
    except (AdbError, OSError, ValueError, SubprocessError) as error:
        raise MobileBnnError(
            "adb cannot be run",
            why=first_line(error),
            cure="Install it (apt install adb, or Google's platform-tools) so that `adb devices` works",
        ) from error


def _connect(server: Any, address: str) -> None:
    from adbutils import AdbError

    try:
        server.connect(address, timeout=_CONNECTING_S)
    except (AdbError, OSError) as error:
        raise MobileBnnError(f"there is no phone {address}", why=first_line(error), cure=_CURE) from error
