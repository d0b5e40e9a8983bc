"""What has changed from one profile to another, figure by figure, and whether that is more than chance."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.profiling.statistics import Change, change
from mobile_bnn.report.comparability import obstacles, remarks
from mobile_bnn.report.formats import MINUS, plural, printable, significant, size
from mobile_bnn.report.layout import Column, Table
from mobile_bnn.report.pairing import by_key

Figure = Literal["median", "p90", "load", "memory", "size"]

_WORDS: dict[Figure, tuple[str, str]] = {
    "median": ("slower", "faster"),
    "p90": ("slower", "faster"),
    "load": ("slower", "faster"),
    "memory": ("more", "less"),
    "size": ("larger", "smaller"),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FigureChange(_Part):
    """One figure before and after."""

    before: float = Field(description="ms; of memory and size bytes")
    after: float
    ratio: float = Field(description="after through before: 1.1 is 10 % more")
    low: float | None = Field(description="lower end of its 95 % interval; null: a single figure tells none")
    high: float | None = Field(description="upper end of it")
    significant: bool | None = Field(description="whether the interval leaves out 1; null where there is none")


class MeasurementChange(_Part):
    """One measurement before and after."""

    engine: str
    kernel: str = Field(description="of the later one")
    threads: int
    cores: str
    file: str = Field(description="name of the later one's file")
    same_graph: bool | None = Field(description="whether both are of the same graph; null in older records")
    throttled: bool = Field(description="heat or the supply slowed one of them down")
    median: FigureChange
    p90: FigureChange
    load: FigureChange
    memory: FigureChange
    size: FigureChange

    def __str__(self) -> str:
        where = f" on {self.cores} cores" if self.cores else ""
        return printable(f"{self.file} with {self.engine} {self.kernel}, {plural(self.threads, 'thread')}{where}")


class ProfileChange(_Part):
    """One profile against the first one."""

    target: str
    measurements: list[MeasurementChange]
    only_before: list[str] = Field(description="measurements that the later profile lacks, in words")
    only_after: list[str] = Field(description="measurements that the earlier one lacks")
    not_comparable: list[str] = Field(description="why a difference says nothing of the software; empty: it does")
    remarks: list[str] = Field(description="what to know besides")
    emulated: bool = Field(description="an emulator ran one of them")

    def slower_than(self, share: float) -> list[str]:
        """A line for each median that is more than a share slower (0.05 is 5 %), unless that may be chance."""
        lines = []
        for each in self.measurements:
            if each.median.ratio <= 1 + share or each.median.significant is False:
                continue
            words = ["throttled"] * each.throttled + ["emulated"] * self.emulated
            words += ["no interval"] * (each.median.significant is None)
            told = f" ({', '.join(words)})" if words else ""
            lines.append(f"{each} is {(each.median.ratio - 1) * 100:.1f} % slower{told}")
        return lines


def compare(before: Profile, after: Profile) -> ProfileChange:
    """Pairs the measurements of two profiles."""
    old, new = by_key(before, after)
    return ProfileChange(
        target=after.target,
        measurements=[_changed(old[key], new[key]) for key in new if key in old],
        only_before=[_words(old[key]) for key in old if key not in new],
        only_after=[_words(new[key]) for key in new if key not in old],
        not_comparable=obstacles(before, after),
        remarks=remarks(before, after),
        emulated=before.machine.emulated or after.machine.emulated,
    )


def table(found: ProfileChange, caption: str) -> tuple[Table, list[str]]:
    """A row for each figure of each measurement that both have, and a Rich style for each row."""
    columns = [
        Column("engine"),
        Column("file", unbroken=8),
        Column("threads", number=True),
        Column("figure"),
        *(Column(name, number=True) for name in ("before", "after", "change", "interval")),
        Column("verdict"),
    ]
    rows, styles = [], []
    for measured in found.measurements:
        engine = printable(f"{measured.engine} {measured.kernel} {measured.cores}".strip())
        name = [engine, printable(measured.file), str(measured.threads)]
        for figure, each in _figures(measured):
            rows.append([*name, *_cells(figure, each)])
            styles.append(_style(each))
            name = ["", "", ""]
    return Table(caption, columns, rows), styles


def _figures(measured: MeasurementChange) -> Iterator[tuple[Figure, FigureChange]]:
    for figure in _WORDS:
        yield figure, getattr(measured, figure)


def _cells(figure: Figure, each: FigureChange) -> list[str]:
    in_bytes = figure in ("memory", "size")
    before, after = (
        size(int(value)) if in_bytes else f"{significant(value)} ms" for value in (each.before, each.after)
    )
    return [figure, before, after, percent_change(each.ratio), _interval(each), _verdict(figure, each)]


def _interval(each: FigureChange) -> str:
    if each.low is None or each.high is None:
        return "–"
    return "exact" if each.low == each.high else f"{percent_change(each.low)} to {percent_change(each.high)}"


def _verdict(figure: Figure, each: FigureChange) -> str:
    if each.significant is None:
        return "not told"
    return _WORDS[figure][each.ratio < 1] if each.significant else "no change"


def _style(each: FigureChange) -> str:
    if not each.significant:
        return ""
    return "red" if each.ratio > 1 else "green"


def _changed(old: Measurement, new: Measurement) -> MeasurementChange:
    graphs = old.graph_sha256, new.graph_sha256
    return MeasurementChange(
        engine=new.engine,
        kernel=new.kernel,
        threads=new.threads,
        cores=new.cores,
        file=PurePath(new.file).name,
        same_graph=graphs[0] == graphs[1] if all(graphs) else None,
        throttled=old.throttled or new.throttled,
        median=median_change(old, new),
        p90=_figure(old.p90_ms, new.p90_ms, _of_latencies(old, new, 0.9)),
        load=_figure(old.load_ms, new.load_ms, change(_loads(old), _loads(new))),
        memory=_figure(old.peak_memory_bytes, new.peak_memory_bytes, None),
        size=_exact(old.file_bytes, new.file_bytes),
    )


def median_change(old: Measurement, new: Measurement) -> FigureChange:
    """How the median changed, with its interval."""
    if len(old.rounds) < 2 or len(new.rounds) < 2:
        return _figure(old.median_ms, new.median_ms, _of_latencies(old, new, 0.5))
    # Of very many runs the latencies are a sample: the rounds know their own medians.
    before, after = ([one.median_ms for one in each.rounds] for each in (old, new))
    found = change(before, after, old_rounds=[1] * len(before), new_rounds=[1] * len(after))
    return _figure(old.median_ms, new.median_ms, found)


def _of_latencies(old: Measurement, new: Measurement, share: float) -> Change | None:
    """The change of a quantile; None where a tool told no latencies."""
    if not old.latencies_ms or not new.latencies_ms:
        return None
    return change(
        old.latencies_ms,
        new.latencies_ms,
        old_rounds=[each.runs for each in old.rounds],
        new_rounds=[each.runs for each in new.rounds],
        share=share,
    )


def _loads(measured: Measurement) -> list[float]:
    return [each.load_ms for each in measured.rounds] or [measured.load_ms]


def _figure(before: float, after: float, found: Change | None) -> FigureChange:
    """The interval is about the ratio of the figures as they are recorded, which are of all latencies."""
    ratio = after / before if before else 1.0
    if found is None or found.low is None or found.high is None:
        return FigureChange(before=before, after=after, ratio=ratio, low=None, high=None, significant=None)
    low, high = (ratio * end / found.ratio for end in (found.low, found.high))
    leaves_out = not low <= 1.0 <= high
    return FigureChange(before=before, after=after, ratio=ratio, low=low, high=high, significant=leaves_out)


def _exact(before: int, after: int) -> FigureChange:
    ratio = after / before if before else 1.0
    return FigureChange(before=before, after=after, ratio=ratio, low=ratio, high=ratio, significant=before != after)


def percent_change(ratio: float) -> str:
    """A ratio as a signed change: +5.0 %, −12.3 %."""
    text = f"{(ratio - 1) * 100:+.1f} %"
    return "0.0 %" if text[1:] == "0.0 %" else text.replace("-", MINUS)


def _words(measured: Measurement) -> str:
    name = f"{PurePath(measured.file).name} with {measured.engine} {measured.kernel}"
    return printable(f"{name}, {plural(measured.threads, 'thread')}")
