"""Device side: shows what a run measured, as one HTML page and as tables in the terminal; loads no TensorFlow.

from mobile_bnn import report
from mobile_bnn.runs import RunFolder

report.write_html(RunFolder("runs/demo"))           # runs/demo/report.html
rich.print(report.summary(RunFolder("runs/demo")))
report.as_json(RunFolder("runs/demo"))["latency"]
"""

from mobile_bnn.report.html import write_html
from mobile_bnn.report.json import as_json
from mobile_bnn.report.terminal import (
    everything,
    operator_table,
    profile_table,
    summary,
    training_table,
    verification_table,
)

__all__ = [
    "as_json",
    "everything",
    "operator_table",
    "profile_table",
    "summary",
    "training_table",
    "verification_table",
    "write_html",
]
