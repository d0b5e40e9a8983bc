"""What inferences take from the supply, where the device tells: a counter of energy, or its power now and then.

None of these tells apart what this process takes: idle power and other programs are in it, so a machine should be idle.
"""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from mobile_bnn.profile_records import Energy

SYSTEM = Path("/sys")
_EVERY_S = 0.1  # between two looks at the power
_LEAST_S = 1.0  # of inferences, or a counter that steps each millisecond and a gauge that blinks would tell nothing


class Meter(Protocol):
    """Something that knows the joules taken while a block of code ran."""

    source: str

    def start(self) -> None:
        """Begins to count."""

    def stop(self) -> float | None:
        """Joules since `start`; None where it could not be read."""


class Counter:
    """The energy counter of an x86 processor (RAPL), which runs over at a known value."""

    source = "RAPL package"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self) -> None:
        """Reads the counter."""
        self._began = _number(self._folder / "energy_uj")

    def stop(self) -> float | None:
        """The counter's difference."""
        now, began = _number(self._folder / "energy_uj"), self._began
        if now is None or began is None:
            return None
        if now < began:
            now += _number(self._folder / "max_energy_range_uj") or 0
        return (now - began) / 1e6 if now >= began else None


class Gauge:
    """A power in watts that is read ten times a second in a thread of its own, and multiplied with the time."""

    def __init__(self, source: str, watts: Callable[[], float | None]) -> None:
        self.source, self._watts = source, watts

    def start(self) -> None:
        """Begins to read."""
        self._readings: list[float] = []
        self._ended, self._began = Event(), time.perf_counter()
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def stop(self) -> float | None:
        """The mean power times the seconds."""
        seconds = time.perf_counter() - self._began
        self._ended.set()
        self._thread.join()
        return sum(self._readings) / len(self._readings) * seconds if self._readings else None

    def _read(self) -> None:
        while not self._ended.wait(_EVERY_S):
            if (watts := self._watts()) is not None:
                self._readings.append(watts)


def find_meter(system: Path = SYSTEM) -> Meter | None:
    """What this device has: RAPL, the Raspberry Pi 5's power controller, or a battery that discharges; else None."""
    counter = system / "class/powercap/intel-rapl:0"
    if _number(counter / "energy_uj") is not None:
        return Counter(counter)
    if (vcgencmd := shutil.which("vcgencmd")) and _pmic_watts(_output(vcgencmd)) is not None:
        return Gauge("Raspberry Pi 5 PMIC", lambda: _pmic_watts(_output(vcgencmd)))
    for battery in sorted(system.glob("class/power_supply/*")):
        if _battery_watts(battery) is not None:
            return Gauge("battery gauge", lambda folder=battery: _battery_watts(folder))  # type: ignore[misc]
    return None


def measure_energy(invoke: Callable[[], None], meter: Meter | None, deadline: float) -> Energy | None:
    """The energy of an inference, over at least a second of them that are not timed one by one.

    Args:
        invoke: runs one inference.
        meter: see `find_meter`; None gives None.
        deadline: of `time.perf_counter`, after which it ends all the same.
    """
    if meter is None:
        return None
    meter.start()
    began = now = time.perf_counter()
    runs = 0
    while runs == 0 or (now - began < _LEAST_S and now < deadline):
        invoke()
        runs += 1
        now = time.perf_counter()
    joules = meter.stop()
    return None if joules is None else Energy(millijoules=joules * 1e3 / runs, source=meter.source)


def _battery_watts(folder: Path) -> float | None:
    """Watts that leave a battery; None if it is none, is being charged, or does not tell."""
    if _text(folder / "type") != "Battery" or _text(folder / "status") != "Discharging":
        return None
    if (microwatts := _number(folder / "power_now")) is not None:
        return microwatts / 1e6
    current, voltage = _number(folder / "current_now"), _number(folder / "voltage_now")
    return None if current is None or voltage is None else abs(current) * voltage / 1e12


def _pmic_watts(text: str) -> float | None:
    """The sum of volts times amperes of the rails that `vcgencmd pmic_read_adc` lists with both."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        name, _, value = line.strip().partition(" ")
        number = value.partition("=")[2].rstrip("AV")
        try:
            values[name] = float(number)
        except ValueError:
            return None
    rails = [name.removesuffix("_A") for name in values if name.endswith("_A") and f"{name[:-2]}_V" in values]
    return sum(values[f"{rail}_A"] * values[f"{rail}_V"] for rail in rails) if rails else None


def _output(vcgencmd: str) -> str:
    try:
        ended = subprocess.run([vcgencmd, "pmic_read_adc"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout if ended.returncode == 0 else ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.lstrip("-").isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:  # RAPL is root's alone on most systems
        return ""
