"""The time of the binary operators, and what it leaves for the float ones: figures and tables."""

from dataclasses import dataclass

from mobile_bnn.profile_records import Measurement, OperatorLatency, Profile
from mobile_bnn.report.figures import engine, fastest, of_these_files
from mobile_bnn.report.formats import DOT, operator_number, percent, plural, printable, significant
from mobile_bnn.report.layout import Column, Table
from mobile_bnn.report.records import Records

_NAME = 8  # characters: names of layers and of operators that run as one may be broken anywhere


@dataclass(frozen=True)
class TimeParts:
    """Where the median inference goes, in ms.

    Operators are timed in inferences of their own, so that their sum may pass a median that is hardly longer.

    Attributes:
        binary: the sum of the binary operators' medians; float ones that run in the same pass are in it.
        rest: of the float operators, and of copying in and out; 0 at least.
    """

    binary: float
    rest: float

    @property
    def whole(self) -> float:
        """Both together."""
        return self.binary + self.rest


def timed(profile: Profile, records: Records | None = None) -> Measurement | None:
    """The fastest measurement of the binary file that tells its operators apart; None where none does.

    Args:
        profile: of one target.
        records: leave out measurements of other files than these are of.
    """
    kept = of_these_files(profile, records) if records else profile
    telling = [measured for measured in kept.measurements if own(measured)]
    return fastest(kept.model_copy(update={"measurements": telling}))


def own(measurement: Measurement) -> list[OperatorLatency]:
    """Those that our library runs."""
    return [each for each in measurement.operator_times if each.runs_in == "delegate"]


def parts(measurement: Measurement) -> TimeParts:
    """The binary operators of a measurement, and the rest."""
    binary = sum(each.median_ms for each in own(measurement))
    return TimeParts(binary, max(measurement.median_ms - binary, 0.0))


def tables(measurement: Measurement, target: str) -> list[Table]:
    """Binary and float time, then a row for each binary operator; shares are of the whole inference.

    An operator in a loop or a branch has how often it runs after its name, and the time of all that.
    """
    setting = f"{printable(target)} {DOT} {engine(measurement)} {DOT} {plural(measurement.threads, 'thread')}"
    return [_parts_table(measurement, setting), _operators_table(measurement, setting)]


def _parts_table(measurement: Measurement, setting: str) -> Table:
    split = parts(measurement)
    rows = [
        ["binary operators", *_cells(split.binary, split)],
        ["float operators, copying in and out", *_cells(split.rest, split)],
    ]
    columns = [Column("part"), *_time_columns()]
    return Table(f"Binary and float time, {setting}", columns, rows, ["whole inference", *_cells(split.whole, split)])


def _operators_table(measurement: Measurement, setting: str) -> Table:
    split = parts(measurement)
    columns = [
        Column("#", number=True),
        Column("operator", unbroken=_NAME),
        Column("layer", unbroken=_NAME),
        *_time_columns(),
    ]
    rows = [
        [
            operator_number(each.operator, each.subgraph),
            printable(each.name) + (f" ×{each.calls:,}" if each.subgraph else ""),
            printable(each.layer.partition(";")[0]),
            *_cells(each.median_ms, split),
        ]
        for each in own(measurement)
    ]
    totals = ["", "total", "", *_cells(split.binary, split)]
    return Table(f"Time of each binary operator, {setting}", columns, rows, totals)


def _time_columns() -> list[Column]:
    return [Column("median (ms)", number=True), Column("share", number=True)]


def _cells(time_ms: float, split: TimeParts) -> list[str]:
    return [significant(time_ms), percent(time_ms / split.whole, 1) if split.whole else "–"]
