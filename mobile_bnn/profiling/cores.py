"""The kinds of cores of a processor, and the clocks that they have now."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mobile_bnn.profile_records import CoreKind

SYSTEM = Path("/sys")
KINDS: tuple[Literal["big", "middle", "little"], ...] = ("big", "middle", "little")


def core_kinds(system: Path = SYSTEM) -> list[CoreKind]:
    """The kinds, the fastest first; one kind "all" where all are alike, as on a Raspberry Pi.

    Kinds are told apart by the highest clock and by the capacity that an ARM kernel gives each core: a Cortex-A520 and
    a Cortex-A720 may have one clock. Of more than three kinds those between the fastest and the slowest are "middle".

    Returns:
        Empty where the system tells neither, as in most containers.
    """
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for path in sorted(system.glob("devices/system/cpu/cpu[0-9]*"), key=lambda path: int(path.name[3:])):
        speed = _number(path / "cpufreq/cpuinfo_max_freq"), _number(path / "cpu_capacity")
        if any(speed):
            groups[speed].append(int(path.name[3:]))
    ordered = sorted(groups.items(), key=lambda item: (item[0][1], item[0][0]), reverse=True)
    if len(ordered) == 1:
        return [CoreKind(name="all", cpus=ordered[0][1], max_mhz=_mhz(ordered[0][0][0]))]
    if len(ordered) > len(KINDS):
        between = ordered[1:-1]
        ordered = [ordered[0], (between[0][0], sorted(cpu for _, cpus in between for cpu in cpus)), ordered[-1]]
    names = KINDS if len(ordered) == len(KINDS) else (KINDS[0], KINDS[-1])
    return [
        CoreKind(name=name, cpus=cpus, max_mhz=_mhz(khz))
        for name, ((khz, _), cpus) in zip(names, ordered, strict=False)  # none where nothing is told
    ]


def clocks_mhz(cpus: Sequence[int], system: Path = SYSTEM) -> list[float] | None:
    """The current clock of each core in MHz; None where the system does not tell.

    Args:
        cpus: the cores; none means all.
        system: where the system shows itself as files.
    """
    folder = system / "devices/system/cpu"
    names = [f"cpu{cpu}" for cpu in cpus] or sorted(
        (path.name for path in folder.glob("cpu[0-9]*") if re.fullmatch(r"cpu\d+", path.name)),
        key=lambda name: int(name[3:]),
    )
    found = [_number(folder / name / "cpufreq/scaling_cur_freq") for name in names]
    return [khz / 1000 for khz in found] if found and all(found) else None


def _mhz(khz: int) -> float | None:
    return khz / 1000 if khz else None


def _number(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return 0
    return int(text) if text.isdecimal() else 0
