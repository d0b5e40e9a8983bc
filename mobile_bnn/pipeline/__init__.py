"""From a trained run, or a model of one's own, to a binary file, its proof, its speed and a report of it all.

    from mobile_bnn import pipeline

    print(pipeline.convert("runs/demo"))
    print(pipeline.verify("runs/demo"))
    print(pipeline.profile("runs/demo", threads=[1]))
    pipeline.report("runs/demo").write("demo.html")

It is what `mbnn convert`, `verify`, `profile` and `report` do. Importing it loads no TensorFlow; converting a Keras
model and verifying do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobile_bnn.pipeline.comparing import Compared, Trends, compare, trend
    from mobile_bnn.pipeline.conversion import Converted, ConvertOptions, convert
    from mobile_bnn.pipeline.exporting import export_profile
    from mobile_bnn.pipeline.float_baselines import WrittenBaseline, baseline
    from mobile_bnn.pipeline.measurement import Profiled, profile
    from mobile_bnn.pipeline.prediction import Predicted, predict
    from mobile_bnn.pipeline.reporting import ComparedModels, Report, report, report_all
    from mobile_bnn.pipeline.reproduction import Reproducing, reproduce
    from mobile_bnn.pipeline.trained_weights import load_trained
    from mobile_bnn.pipeline.verification import Verified, verify
    from mobile_bnn.pipeline.watcher import Watcher

_HOMES = {
    "Compared": "comparing",
    "ConvertOptions": "conversion",
    "ComparedModels": "reporting",
    "Converted": "conversion",
    "Predicted": "prediction",
    "Profiled": "measurement",
    "Report": "reporting",
    "Reproducing": "reproduction",
    "Trends": "comparing",
    "Verified": "verification",
    "Watcher": "watcher",
    "WrittenBaseline": "float_baselines",
    "baseline": "float_baselines",
    "compare": "comparing",
    "convert": "conversion",
    "export_profile": "exporting",
    "load_trained": "trained_weights",
    "predict": "prediction",
    "profile": "measurement",
    "report": "reporting",
    "report_all": "reporting",
    "reproduce": "reproduction",
    "trend": "comparing",
    "verify": "verification",
}
__all__ = [
    "Compared",
    "ComparedModels",
    "ConvertOptions",
    "Converted",
    "Predicted",
    "Profiled",
    "Report",
    "Reproducing",
    "Trends",
    "Verified",
    "Watcher",
    "WrittenBaseline",
    "baseline",
    "compare",
    "convert",
    "export_profile",
    "load_trained",
    "predict",
    "profile",
    "report",
    "report_all",
    "reproduce",
    "trend",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
