"""What a phone tells of itself: its properties, by getprop, and whether our programs can run on it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.profile_records import Machine
from mobile_bnn.profiling.android.device import Device
from mobile_bnn.profiling.android.shell import run

ABIS = ("arm64-v8a", "x86_64")
OLDEST_API = 23
_LINE = re.compile(r"\[([^\]]*)\]: \[(.*)\]")


@dataclass(frozen=True)
class Facts:
    """What matters of a phone.

    Attributes:
        abis: the binary interfaces that it runs, the best first.
        api: its API level; 0 where it does not tell.
        model: maker and model.
        android: its version of Android.
        soc: its chip, as far as it tells.
        emulated: it is an emulator, as it says itself.
    """

    abis: tuple[str, ...]
    api: int
    model: str
    android: str
    soc: str
    emulated: bool

    @property
    def abi(self) -> str:
        """The one of our ABIS that it runs best; empty if it runs none."""
        return next((abi for abi in self.abis if abi in ABIS), "")


def read_facts(device: Device) -> Facts:
    """Asks the phone.

    Raises:
        TargetLostError: the phone has gone.
        MobileBnnError: its adbd is too old to tell how a command ended.
    """
    if "shell_v2" not in device.features():
        raise MobileBnnError(
            f"the phone {device.serial} cannot be used",
            why="its adb does not tell how a command ended, as that of Android 7 and newer does",
            cure="Take a phone with Android 7 or newer",
        )
    return facts_of(parse_properties(run(device, ["getprop"]).text))


def parse_properties(text: str) -> dict[str, str]:
    """The properties out of the lines of getprop: `[ro.build.version.sdk]: [34]`."""
    return {match[1]: match[2] for match in map(_LINE.fullmatch, text.splitlines()) if match}


def facts_of(properties: Mapping[str, str]) -> Facts:
    """What matters of the properties; what they do not tell is empty."""
    get = properties.get
    maker, model = get("ro.product.manufacturer", ""), get("ro.product.model", "")
    chip = " ".join(filter(None, (get("ro.soc.manufacturer", ""), get("ro.soc.model", ""))))
    abis = get("ro.product.cpu.abilist", "") or get("ro.product.cpu.abi", "")
    sdk = get("ro.build.version.sdk", "")
    hardware = get("ro.hardware", "")
    return Facts(
        abis=tuple(abi.strip() for abi in abis.split(",") if abi.strip()),
        api=int(sdk) if sdk.isdecimal() else 0,
        model=model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip(),
        android=get("ro.build.version.release", ""),
        soc=chip or get("ro.board.platform", "") or hardware,
        emulated=get("ro.kernel.qemu") == "1" or get("ro.boot.qemu") == "1" or hardware in ("goldfish", "ranchu"),
    )


def check(facts: Facts, serial: str) -> None:
    """Refuses a phone that cannot run our programs.

    Raises:
        MobileBnnError: none of its ABIs is ours, or its Android is too old.
    """
    if not facts.abi:
        abis = ", ".join(facts.abis) or "an unknown ABI"
        raise MobileBnnError(
            f"the phone {serial} cannot run mobile_bnn",
            why=f"it runs programs for {abis}, and mobile_bnn is built for {' and '.join(ABIS)}",
            cure="Take a phone with a 64-bit Android",
        )
    if facts.api < OLDEST_API:
        raise MobileBnnError(
            f"the phone {serial} cannot run mobile_bnn",
            why=f"its Android has API level {facts.api}, and mobile_bnn needs {OLDEST_API} (Android 6)",
            cure="Take a phone with a newer Android",
        )


def with_facts(machine: Machine, facts: Facts) -> Machine:
    """The machine that a program on the phone told of, with what only the phone's properties tell."""
    return machine.model_copy(
        update={
            "board": facts.model or machine.board,
            "cpu": facts.soc or machine.cpu,
            "distribution": f"Android {facts.android}" if facts.android else machine.distribution,
            "libc": f"bionic API {facts.api}",
            "android_api": facts.api,
            "emulated": machine.emulated or facts.emulated,
        }
    )
