"""What targets are, as tables: where measurements can be made, and with which engines."""

from collections.abc import Sequence

from mobile_bnn.profile_records import CoreKind
from mobile_bnn.profiling.messages import EngineInfo, TargetInfo
from mobile_bnn.profiling.targets.discovery import Candidate
from mobile_bnn.report.formats import count, plural, printable, significant, size
from mobile_bnn.report.layout import Column, Table


def candidates(found: Sequence[Candidate]) -> Table:
    """A row for each target that is known, without asking any."""
    rows = [[printable(each.url), printable(each.state)] for each in found]
    return Table("Targets", [Column("target", unbroken=60), Column("what is known")], rows)


def target(url: str, info: TargetInfo) -> Table:
    """What a target tells of itself; a row that it does not tell is left out."""
    machine, now = info.machine, info.condition
    throttled = "not told" if now.throttled is None else ", ".join(now.throttled) or "no"
    system = ", ".join(filter(None, (machine.distribution, machine.system, f"{machine.bits} bits")))
    rows = [
        ["Board", machine.board],
        ["SoC or CPU", machine.cpu],
        ["Architecture", machine.architecture],
        ["Cores", _cores(machine.cores, machine.logical_cores)],
        ["Instruction sets", ", ".join(machine.flags)],
        ["Frequency governor", machine.governor],
        ["Clock now", _clocks(now.mhz)],
        ["Temperature", "" if now.temperature_c is None else f"{now.temperature_c:.0f} °C"],
        ["Throttled", throttled],
        ["Memory", size(machine.memory_bytes)],
        ["Load average (1 min)", significant(machine.load_1min)],
        ["System", system],
        ["C library", machine.libc],
        ["Android API", "" if machine.android_api is None else str(machine.android_api)],
        ["Python", machine.python],
        ["Emulated", "yes: its times say nothing of a real device" if machine.emulated else ""],
        *([f"Engine {each.name}", _engine(each)] for each in info.engines),
    ]
    cells = [[printable(name), printable(value)] for name, value in rows if value]
    return Table(printable(url), [Column("fact"), Column("value")], cells)


def _cores(kinds: Sequence[CoreKind], logical: int) -> str:
    """Kinds as `4 big (0-3) up to 2,400 MHz`."""
    if not kinds:
        return count(logical)
    words = []
    for kind in kinds:
        clock = f" up to {kind.max_mhz:,.0f} MHz" if kind.max_mhz else ""
        name = "" if kind.name == "all" else f" {kind.name}"
        words.append(f"{len(kind.cpus)}{name} ({_ranges(kind.cpus)}){clock}")
    return ", ".join(words)


def _ranges(numbers: Sequence[int]) -> str:
    """0-3 for 0, 1, 2, 3."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def _clocks(mhz: Sequence[float] | None) -> str:
    if not mhz:
        return ""
    low, high = min(mhz), max(mhz)
    spread = f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"
    return f"{spread} MHz on {plural(len(mhz), 'core')}"


def _engine(engine: EngineInfo) -> str:
    if engine.unavailable:
        return f"not here: {engine.unavailable}"
    return engine.version or "version not told"
