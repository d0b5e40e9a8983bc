"""How each measurement went over the profiles of a history folder: medians, the last change and the best."""

from collections import defaultdict
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.report.comparison import median_change, percent_change
from mobile_bnn.report.formats import plural, printable, significant
from mobile_bnn.report.layout import Column, Table
from mobile_bnn.report.pairing import Key, by_name, short_name

_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 24  # values of a sparkline


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Point(_Part):
    """One profile's figure."""

    measured_at: str = Field(description="ISO 8601 in UTC; empty in older records")
    median_ms: float
    low_ms: float | None = Field(description="lower end of the median's 95 % interval")
    high_ms: float | None = Field(description="upper end of it")
    throttled: bool
    engine_version: str


class Trend(_Part):
    """One measurement over time, on one machine."""

    target: str
    cpu: str = Field(description="the machine's; other machines of a target have trends of their own")
    emulated: bool
    engine: str
    kernel: str = Field(description="of the newest one")
    threads: int
    cores: str
    file: str = Field(description="name of the file, and of its folder")
    points: list[Point] = Field(description="oldest first")
    against_last: float | None = Field(description="newest median through the one before")
    against_last_significant: bool | None = Field(description="whether that is more than chance")
    against_best: float | None = Field(description="newest median through the smallest one that was not throttled")

    def __str__(self) -> str:
        where = f" on {self.cores} cores" if self.cores else ""
        return printable(f"{self.file}: {self.engine} {self.kernel}, {plural(self.threads, 'thread')}{where}")


_Machine = tuple[str, str, bool]


def trends(profiles: Sequence[Profile]) -> list[Trend]:
    """The trend of each measurement on each machine; profiles are in the order of time."""
    of_machine: dict[_Machine, list[Profile]] = defaultdict(list)
    for profile in profiles:
        machine = profile.machine
        of_machine[profile.target, machine.board or machine.cpu, machine.emulated].append(profile)
    return [trend for machine, own in of_machine.items() for trend in _of_machine(machine, own)]


def _of_machine(machine: _Machine, profiles: Sequence[Profile]) -> list[Trend]:
    measured = by_name(*profiles)
    keys = dict.fromkeys(key for found in measured for key in found)
    return [_trend(machine, key, list(zip(profiles, measured, strict=True))) for key in keys]


def _trend(machine: _Machine, key: Key, profiles: Sequence[tuple[Profile, dict[Key, Measurement]]]) -> Trend:
    own = [(profile, found[key]) for profile, found in profiles if key in found]
    newest = own[-1][1]
    last = own[-2][1] if len(own) > 1 else None
    best = min((each.median_ms for _, each in own if not each.throttled), default=None)
    target, cpu, emulated = machine
    change = median_change(last, newest) if last else None
    return Trend(
        target=target,
        cpu=cpu,
        emulated=emulated,
        engine=newest.engine,
        kernel=newest.kernel,
        threads=newest.threads,
        cores=newest.cores,
        file=short_name(newest),
        points=[_point(profile, each) for profile, each in own],
        against_last=change.ratio if change else None,
        against_last_significant=change.significant if change else None,
        against_best=newest.median_ms / best if best else None,
    )


def _point(profile: Profile, measured: Measurement) -> Point:
    return Point(
        measured_at=profile.measured_at,
        median_ms=measured.median_ms,
        low_ms=measured.median_low_ms,
        high_ms=measured.median_high_ms,
        throttled=measured.throttled,
        engine_version=measured.engine_version,
    )


def tables(found: Sequence[Trend]) -> list[Table]:
    """For each machine a table with a row for each measurement."""
    machines = dict.fromkeys((each.target, each.cpu, each.emulated) for each in found)
    return [
        _table(machine, [each for each in found if (each.target, each.cpu, each.emulated) == machine])
        for machine in machines
    ]


def _table(machine: _Machine, found: Sequence[Trend]) -> Table:
    columns = [
        Column("engine"),
        Column("file", unbroken=8),
        Column("threads", number=True),
        Column("medians, oldest first"),
        *(Column(name, number=True) for name in ("now (ms)", "against the last")),
        Column("verdict"),
        *(Column(name, number=True) for name in ("against the best", "profiles")),
    ]
    rows = [
        [
            printable(f"{each.engine} {each.kernel} {each.cores}".strip()),
            printable(each.file),
            str(each.threads),
            sparkline([point.median_ms for point in each.points]),
            significant(each.points[-1].median_ms),
            "–" if each.against_last is None else percent_change(each.against_last),
            verdict(each),
            "–" if each.against_best is None else percent_change(each.against_best),
            str(len(each.points)),
        ]
        for each in found
    ]
    target, cpu, emulated = machine
    words = ", emulated: its times say nothing of a real device" if emulated else ""
    return Table(f"Trend on {printable(target)}, {printable(cpu)}{words}", columns, rows)


def verdict(trend: Trend) -> str:
    """The newest against the one before, in words."""
    throttled = " (throttled)" if trend.points[-1].throttled else ""
    if trend.against_last is None:
        return f"the first{throttled}"
    if trend.against_last_significant is None:
        return f"not told{throttled}"
    if not trend.against_last_significant:
        return f"no change{throttled}"
    return f"{'slower' if trend.against_last > 1 else 'faster'}{throttled}"


def sparkline(values: Sequence[float], most: int = _SHOWN) -> str:
    """The last values as a row of bars, the lowest the shortest."""
    shown = list(values)[-most:]
    low, high = min(shown), max(shown)
    if high <= low:
        return _BARS[0] * len(shown)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in shown)
