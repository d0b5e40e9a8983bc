"""Binary operators below the measured peak."""

from mobile_bnn.profile_records import Measurement
from mobile_bnn.records import Operators
from mobile_bnn.report import drawing
from mobile_bnn.report.charts.chart import Chart, plain_ticks
from mobile_bnn.report.drawing import BLUE, ORANGE
from mobile_bnn.report.formats import plural, significant
from mobile_bnn.report.operator_times import Breakdown, TimedOperator


def roofline(split: Breakdown, measurement: Measurement, table: Operators, position: int) -> Chart | None:
    """What each binary operator achieves against the bytes it moves, below the peak of the same session.

    None where the peak or the file's operators are not known.
    """
    moved = {(each.subgraph, each.index): each.weight_bytes + each.output_bytes for each in table.operators}
    points = [
        (
            row.binary_macs / max(1, sum(moved.get(place, 0) for place in _places(row))),
            row.gmacs,
        )
        for row in split.rows
        if row.kind == "binary" and row.gmacs and row.binary_macs
    ]
    if not points or not measurement.peak_gmacs:
        return None
    peak = measurement.peak_gmacs * measurement.threads
    with drawing.style():
        figure, axes = drawing.axes()
        axes.axhline(peak, color=ORANGE, linewidth=1.5)
        axes.scatter([each[0] for each in points], [each[1] for each in points], color=BLUE, s=22, zorder=3)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(min(each[1] for each in points) / 2, 2 * peak)
        axes.annotate(
            f"peak of {plural(measurement.threads, 'core')}: {significant(peak)}",
            (0, peak),
            xycoords=("axes fraction", "data"),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=9,
        )
        plain_ticks(axes.yaxis)
        plain_ticks(axes.xaxis)
        axes.set_xlabel("binary MACs for each byte of weights and output")
        axes.set_ylabel("Gbit-MAC/s")
    return Chart(f"roofline-{position}", "Binary operators below the peak", figure)


def _places(row: TimedOperator) -> list[tuple[int, int]]:
    return [(row.latency.subgraph, index) for index in row.latency.operators or [row.latency.operator]]
