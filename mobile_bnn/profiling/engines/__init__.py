"""The engines that can be measured, by name. A new one is one file here and one entry below."""

from mobile_bnn.profiling.engines.delegate import Delegate
from mobile_bnn.profiling.engines.engine import Engine, Session
from mobile_bnn.profiling.engines.lce import LarqComputeEngine
from mobile_bnn.profiling.engines.litert import LiteRt
from mobile_bnn.profiling.messages import EngineInfo

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (Delegate(), LarqComputeEngine(), LiteRt())}

__all__ = ["ENGINES", "Engine", "Session", "describe_engines"]


def describe_engines() -> list[EngineInfo]:
    """The engines of this machine, for `Target.describe`; loads no native code."""
    return [
        EngineInfo(
            name=name,
            version=engine.version(),
            kernels=engine.kernels,
            further_kernels=engine.further_kernels,
            unavailable=engine.unavailable(),
        )
        for name, engine in ENGINES.items()
    ]
