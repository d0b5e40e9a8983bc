"""What has changed between two profiles, measurement by measurement, and whether that is more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.profiling.statistics import change
from mobile_bnn.report.figures import is_float_baseline
from mobile_bnn.report.formats import MINUS, plural, printable, significant
from mobile_bnn.report.layout import Column, Table

_FACTS = {
    "cpu": "processors",
    "board": "boards",
    "architecture": "architectures",
    "governor": "frequency governors",
    "distribution": "systems",
}
_BUSY = 0.5  # a load average for each core, before measuring, from which other programs take part


class Comparison(BaseModel):
    """One measurement before and after; ratios are after through before, so 1.1 is 10 % more."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    engine: str
    kernel: str = Field(description="of the second one")
    threads: int
    cores: str
    file: str = Field(description="name of the second one's file")
    before_ms: float = Field(description="median")
    after_ms: float = Field(description="median")
    median_ratio: float
    low: float = Field(description="lower end of its 95 % interval")
    high: float = Field(description="upper end of it")
    significant: bool = Field(description="the interval leaves out 1")
    p90_ratio: float
    load_ratio: float
    memory_ratio: float
    size_ratio: float


@dataclass(frozen=True)
class Compared:
    """All of two profiles.

    Attributes:
        rows: a comparison for each measurement that both have.
        only: the measurements that one of them lacks, in words.
        remarks: why the two may not be comparable.
    """

    rows: list[Comparison]
    only: list[str]
    remarks: list[str]

    def slower_than(self, share: float) -> list[Comparison]:
        """Those that are slower by more than a share (0.05 is 5 %), and significantly so."""
        return [row for row in self.rows if row.significant and row.median_ratio > 1 + share]


def compare(before: Profile, after: Profile) -> Compared:
    """Pairs measurements by engine, kernel, threads, cores and what their file is.

    The kernel of the library is whatever is best on the machine, so that there it does not count.
    """
    old, new = _by_key(before), _by_key(after)
    rows = [_compared(old[key], new[key]) for key in new if key in old]
    only = [f"only before: {_words(old[key])}" for key in old if key not in new]
    only += [f"only after: {_words(new[key])}" for key in new if key not in old]
    return Compared(rows, only, remarks(before, after))


def table(compared: Compared) -> Table:
    """A row for each measurement that both have."""
    columns = [
        Column("engine"),
        Column("file", unbroken=8),
        *(Column(name, number=True) for name in ("threads", "before (ms)", "after (ms)", "change", "95 % interval")),
        Column("verdict"),
        *(Column(name, number=True) for name in ("p90", "memory", "size")),
    ]
    rows = [
        [
            printable(f"{row.engine} {row.kernel} {row.cores}".strip()),
            printable(row.file),
            str(row.threads),
            significant(row.before_ms),
            significant(row.after_ms),
            _percent(row.median_ratio),
            f"{_percent(row.low)} to {_percent(row.high)}",
            ("slower" if row.median_ratio > 1 else "faster") if row.significant else "no change",
            *map(_percent, (row.p90_ratio, row.memory_ratio, row.size_ratio)),
        ]
        for row in compared.rows
    ]
    return Table("Change of the median, after against before", columns, rows)


def remarks(before: Profile, after: Profile) -> list[str]:
    """Why two profiles may not be comparable: other machines, heat, an emulator, other versions."""
    found = []
    if before.target != after.target:
        found.append(f"The targets differ: {printable(before.target)} and {printable(after.target)}.")
    for field, words in _FACTS.items():
        old, new = getattr(before.machine, field), getattr(after.machine, field)
        if old != new and (old or new):
            found.append(f"The {words} differ: {printable(old) or 'not told'} and {printable(new) or 'not told'}.")
    for name, profile in (("before", before), ("after", after)):
        found += _own_remarks(name, profile)
    old_versions, new_versions = _versions(before), _versions(after)
    found += [
        f"The versions of {printable(engine)} differ: {printable(old_versions[engine])} and {printable(version)}."
        for engine, version in new_versions.items()
        if old_versions.get(engine, version) != version
    ]
    return found


def _own_remarks(name: str, profile: Profile) -> list[str]:
    found = []
    if profile.machine.emulated:
        found.append(f"Emulated ({name}): its times say nothing of a real device.")
    if throttled := sum(each.throttled for each in profile.measurements):
        found.append(f"Throttled ({name}): heat or the supply slowed {throttled} of its measurements down.")
    if profile.machine.load_1min > _BUSY * profile.machine.logical_cores:
        found.append(f"Busy ({name}): other programs ran, the load average was {profile.machine.load_1min:.1f}.")
    return found


def _versions(profile: Profile) -> dict[str, str]:
    return {each.engine: each.engine_version for each in profile.measurements}


_Key = tuple[str, str, int, str, str]


def _by_key(profile: Profile) -> dict[_Key, Measurement]:
    own = {each.file for each in profile.measurements if not is_float_baseline(each)}
    return {_key(each, several=len(own) > 1): each for each in profile.measurements}


def _key(measured: Measurement, *, several: bool) -> _Key:
    kernel = "" if measured.engine == "delegate" else measured.kernel
    if is_float_baseline(measured):
        role = PurePath(measured.file).name
        role = "the float twin" if role.endswith("_float.tflite") else role
    else:
        role = PurePath(measured.file).name if several else "the file"
    return measured.engine, kernel, measured.threads, measured.cores, role


def _compared(old: Measurement, new: Measurement) -> Comparison:
    medians = change(
        old.latencies_ms,
        new.latencies_ms,
        old_rounds=[each.runs for each in old.rounds],
        new_rounds=[each.runs for each in new.rounds],
    )
    return Comparison(
        engine=new.engine,
        kernel=new.kernel,
        threads=new.threads,
        cores=new.cores,
        file=PurePath(new.file).name,
        before_ms=old.median_ms,
        after_ms=new.median_ms,
        median_ratio=medians.ratio,
        low=medians.low,
        high=medians.high,
        significant=medians.significant,
        p90_ratio=_ratio(old.p90_ms, new.p90_ms),
        load_ratio=_ratio(old.load_ms, new.load_ms),
        memory_ratio=_ratio(old.peak_memory_bytes, new.peak_memory_bytes),
        size_ratio=_ratio(old.file_bytes, new.file_bytes),
    )


def _ratio(old: float, new: float) -> float:
    return new / old if old else 1.0


def _percent(ratio: float) -> str:
    """A ratio as a signed change: +5.0 %, −12.3 %."""
    text = f"{(ratio - 1) * 100:+.1f} %"
    return "0.0 %" if text[1:] == "0.0 %" else text.replace("-", MINUS)


def _words(measured: Measurement) -> str:
    name = printable(PurePath(measured.file).name)
    return (
        f"{name} with {printable(measured.engine)} {printable(measured.kernel)}, {plural(measured.threads, 'thread')}"
    )


def trend(profiles: Sequence[Profile]) -> Table:
    """A row for each measurement of the newest profile: its medians over time, against the one before and the best."""
    columns = [
        Column("engine"),
        Column("file", unbroken=8),
        Column("threads", number=True),
        Column("medians, oldest first"),
        *(Column(name, number=True) for name in ("now (ms)", "against the last", "against the best", "profiles")),
    ]
    newest = _by_key(profiles[-1])
    rows = []
    for key, measured in newest.items():
        medians = [found[key].median_ms for found in map(_by_key, profiles) if key in found]
        last = medians[-2] if len(medians) > 1 else medians[-1]
        rows.append(
            [
                printable(f"{measured.engine} {measured.kernel} {measured.cores}".strip()),
                printable(PurePath(measured.file).name),
                str(measured.threads),
                sparkline(medians),
                significant(medians[-1]),
                _percent(_ratio(last, medians[-1])),
                _percent(_ratio(min(medians), medians[-1])),
                str(len(medians)),
            ]
        )
    return Table(f"Trend on {printable(profiles[-1].target)}", columns, rows)


def sparkline(values: Sequence[float], most: int = 24) -> str:
    """The last values as a row of bars, the lowest the shortest."""
    bars = "▁▂▃▄▅▆▇█"
    shown = list(values)[-most:]
    low, high = min(shown), max(shown)
    if high <= low:
        return bars[0] * len(shown)
    return "".join(bars[round((value - low) / (high - low) * (len(bars) - 1))] for value in shown)
