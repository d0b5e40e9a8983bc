"""Where the time of an inference goes: by kind of work, and operator by operator, with what each achieves."""

from collections.abc import Sequence
from dataclasses import dataclass

from mobile_bnn.profile_records import Measurement, OperatorLatency, Profile
from mobile_bnn.records import Operator
from mobile_bnn.report.figures import engine, fastest, of_these_files
from mobile_bnn.report.formats import DOT, count, operator_number, percent, plural, printable, significant
from mobile_bnn.report.layout import Column, Table
from mobile_bnn.report.operator_kinds import KINDS, Kind, operator_kind
from mobile_bnn.report.records import Records

_NAME = 8  # characters: names of layers and of operators that run as one may be broken anywhere


@dataclass(frozen=True)
class TimedOperator:
    """One row: an operator, or several that run as one.

    Attributes:
        latency: its time.
        kind: of its work.
        layer: the layer that the converter named it after, without the model's name.
        binary_macs: of all that run as one; None where the file's operators are not known.
        gmacs: achieved binary multiply-accumulates a second, in 1e9; None where it has none.
        of_peak: the same as a share of what the cores did at most in the same session.
    """

    latency: OperatorLatency
    kind: Kind
    layer: str
    binary_macs: int | None = None
    gmacs: float | None = None
    of_peak: float | None = None


@dataclass(frozen=True)
class Breakdown:
    """The median inference of a measurement in parts, in ms.

    Operators are timed in inferences of their own, so that their sum may pass a median that is hardly longer.

    Attributes:
        rows: in the order of the file.
        outside: what the operators leave of the median, 0 at least.
    """

    rows: list[TimedOperator]
    outside: float

    @property
    def operators(self) -> float:
        """The sum of all operators."""
        return sum(row.latency.median_ms for row in self.rows)

    @property
    def whole(self) -> float:
        """Operators and what is outside of them."""
        return self.operators + self.outside

    def by_kind(self) -> dict[Kind, float]:
        """The time of each kind that there is."""
        sums = {kind: sum(row.latency.median_ms for row in self.rows if row.kind == kind) for kind in KINDS}
        sums["outside"] = self.outside
        return {kind: value for kind, value in sums.items() if value > 0 or kind == "outside"}


def timed(profile: Profile, records: Records | None = None) -> Measurement | None:
    """The fastest measurement of the binary file that tells its operators apart; None where none does.

    Args:
        profile: of one target.
        records: leave out measurements of other files than these are of.
    """
    kept = of_these_files(profile, records) if records else profile
    telling = [measured for measured in kept.measurements if any(each.runs_in == "delegate" for each in _all(measured))]
    return fastest(kept.model_copy(update={"measurements": telling}))


def _all(measurement: Measurement) -> list[OperatorLatency]:
    return measurement.operator_times


def breakdown(
    measurement: Measurement, operators: Sequence[Operator] = (), *, plain: bool = False, layers: Sequence[str] = ()
) -> Breakdown:
    """A measurement's operators and what is left.

    Args:
        measurement: which has times of its operators.
        operators: of the file, for what each achieves.
        plain: of the inferences without XNNPACK, whose whole is not timed: nothing is outside.
        layers: a name for each of `operators`, to be shown instead of the converter's.
    """
    times = measurement.operator_times_plain if plain else measurement.operator_times
    macs = {(each.subgraph, each.index): each.binary_macs for each in operators}
    names = {(each.subgraph, each.index): name for each, name in zip(operators, layers, strict=False)}
    peak = (measurement.peak_gmacs or 0.0) * measurement.threads
    rows = [_row(each, macs, names, peak) for each in times]
    left = 0.0 if plain else max(measurement.median_ms - sum(each.median_ms for each in times), 0.0)
    return Breakdown(rows, left)


def _row(
    latency: OperatorLatency, macs: dict[tuple[int, int], int], names: dict[tuple[int, int], str], peak: float
) -> TimedOperator:
    places = [(latency.subgraph, index) for index in latency.operators or [latency.operator]]
    layer = names.get(places[0], latency.layer.partition(";")[0])
    kind = operator_kind(latency)
    if not all(place in macs for place in places):
        return TimedOperator(latency, kind, layer)
    total = sum(macs[place] for place in places) * latency.calls
    if not total or latency.median_ms <= 0:
        return TimedOperator(latency, kind, layer, total)
    gmacs = total / latency.median_ms / 1e6
    return TimedOperator(latency, kind, layer, total, gmacs, gmacs / peak if peak else None)


def tables(
    measurement: Measurement, target: str, operators: Sequence[Operator] = (), layers: Sequence[str] = ()
) -> list[Table]:
    """Time by kind of work, then a row for each operator; shares are of the whole inference.

    An operator in a loop or a branch has how often it runs after its name, and the time of all that.
    """
    setting = f"{printable(target)} {DOT} {engine(measurement)} {DOT} {plural(measurement.threads, 'thread')}"
    split = breakdown(measurement, operators, layers=layers)
    found = [_kinds_table(split, setting), _operators_table(split, f"Time of each operator, {setting}", rest=True)]
    if measurement.operator_times_plain:
        apart = breakdown(measurement, operators, plain=True, layers=layers)
        floats = Breakdown([row for row in apart.rows if row.kind == "float"], 0.0)
        if floats.rows:
            found.append(_operators_table(floats, f"Float operators one by one, without XNNPACK, {setting}"))
    return found


def _kinds_table(split: Breakdown, setting: str) -> Table:
    rows = [[kind, KINDS[kind], *_cells(value, split)] for kind, value in split.by_kind().items()]
    columns = [Column("part"), Column("what it is", unbroken=_NAME), *_time_columns()]
    return Table(
        f"Time by kind of work, {setting}", columns, rows, ["whole inference", "", *_cells(split.whole, split)]
    )


def _operators_table(split: Breakdown, caption: str, *, rest: bool = False) -> Table:
    columns = [
        Column("#", number=True),
        Column("operator", unbroken=_NAME),
        Column("layer", unbroken=_NAME),
        Column("part"),
        *_time_columns(),
        *(Column(header, number=True) for header in ("binary MACs", "Gbit-MAC/s", "of the peak")),
    ]
    rows = [
        [
            operator_number(row.latency.operator, row.latency.subgraph),
            printable(row.latency.name) + (f" ×{row.latency.calls:,}" if row.latency.subgraph else ""),
            printable(row.layer),
            row.kind,
            *_cells(row.latency.median_ms, split),
            count(row.binary_macs) if row.binary_macs else "",
            significant(row.gmacs) if row.gmacs is not None else "",
            percent(row.of_peak, 1) if row.of_peak is not None else "",
        ]
        for row in split.rows
    ]
    if rest:
        rows.append(["", "", KINDS["outside"], "outside", *_cells(split.outside, split), "", "", ""])
    return Table(caption, columns, rows, ["", "total", "", "", *_cells(split.whole, split), "", "", ""])


def _time_columns() -> list[Column]:
    return [Column("median (ms)", number=True), Column("share", number=True)]


def _cells(time_ms: float, split: Breakdown) -> list[str]:
    return [significant(time_ms), percent(time_ms / split.whole, 1) if split.whole else "–"]
