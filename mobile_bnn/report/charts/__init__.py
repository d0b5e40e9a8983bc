"""The charts of a report, made from the records, as Matplotlib figures."""

from mobile_bnn.report.charts.chart import Chart
from mobile_bnn.report.charts.confusion import confusion
from mobile_bnn.report.charts.epochs import training
from mobile_bnn.report.charts.front import pareto
from mobile_bnn.report.charts.latency import latencies
from mobile_bnn.report.charts.operator_costs import operators
from mobile_bnn.report.charts.operator_time import KIND_COLOURS, operator_times
from mobile_bnn.report.charts.roofline import roofline

__all__ = [
    "KIND_COLOURS",
    "Chart",
    "confusion",
    "latencies",
    "operator_times",
    "operators",
    "pareto",
    "roofline",
    "training",
]
