"""What may slow this machine down while it is measured: its frequency governors, its temperature, its throttling."""

from collections.abc import Sequence
from pathlib import Path

from mobile_bnn.profile_records import Condition
from mobile_bnn.profiling.cores import clocks_mhz

SYSTEM = Path("/sys")
HOT = 80.0  # degrees Celsius: a Raspberry Pi begins to lower its clock here, most others a little later

NOW = " now"  # ends what throttles at this moment

_RASPBERRY_PI = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")


def condition(cpus: Sequence[int] = (), system: Path = SYSTEM) -> Condition:
    """All that may slow these cores down, now; without any, that may slow down all.

    Takes less than a millisecond, so that it may stand right before and after what is timed.
    """
    return Condition(temperature_c=temperature(system), mhz=clocks_mhz(cpus, system), throttled=throttling(system))


def governors(system: Path = SYSTEM) -> list[str]:
    """The frequency governors of all cores, each once; empty where the system tells none, as in most containers."""
    found = system.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    return sorted({text for path in found if (text := _read(path))})


def temperature(system: Path = SYSTEM) -> float | None:
    """The hottest sensor in degrees Celsius; None where the system tells none."""
    texts = map(_read, system.glob("class/thermal/thermal_zone*/temp"))
    return max((int(text) / 1000 for text in texts if text.lstrip("-").isdecimal()), default=None)


def throttling(system: Path = SYSTEM) -> list[str] | None:
    """What has slowed the processor down since the system started, "now" where it does; None where that is not told."""
    if flags := _read(system / "devices/platform/soc/soc:firmware/get_throttled"):
        try:
            return _raspberry_pi(int(flags, 16))
        except ValueError:
            return None
    counts = [_read(path) for path in system.glob("devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count")]
    if not any(count.isdecimal() for count in counts):
        return None
    return ["heat"] if any(int(count) for count in counts if count.isdecimal()) else []


def _raspberry_pi(flags: int) -> list[str]:
    now = [f"{name}{NOW}" for bit, name in enumerate(_RASPBERRY_PI) if flags >> bit & 1]
    since = [name for bit, name in enumerate(_RASPBERRY_PI) if flags >> 16 + bit & 1 and not flags >> bit & 1]
    return now + since


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:  # a sensor that is off
        return ""
