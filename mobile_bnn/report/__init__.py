"""Device side: shows what a run measured, as one HTML page and as tables in the terminal; loads no TensorFlow.

from mobile_bnn import report
from mobile_bnn.run_folder import RunFolder

report.write_html(RunFolder("runs/demo"))           # runs/demo/report.html
rich.print(report.summary(RunFolder("runs/demo")))
report.as_json(RunFolder("runs/demo"))["latency"]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "as_json": "json",
    "everything": "terminal",
    "operator_table": "terminal",
    "profile_table": "terminal",
    "summary": "terminal",
    "training_table": "terminal",
    "verification_table": "terminal",
    "write_html": "html",
}
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


def __getattr__(name: str) -> Any:
    # A table of names needs neither charts nor the reader of flatbuffers.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
