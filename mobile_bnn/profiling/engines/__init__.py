"""The engines that can be measured, by name. A new one is one file here and one entry below."""

from mobile_bnn.profiling.engines.delegate import Delegate
from mobile_bnn.profiling.engines.engine import Engine, Session
from mobile_bnn.profiling.engines.lce import LarqComputeEngine
from mobile_bnn.profiling.engines.litert import LiteRt

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (Delegate(), LarqComputeEngine(), LiteRt())}

__all__ = ["ENGINES", "Engine", "Session"]
