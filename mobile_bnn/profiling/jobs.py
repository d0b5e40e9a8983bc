"""What is to be measured: files, each with a kernel of an engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobile_bnn.names import look_up, unknown
from mobile_bnn.profiling.engines import describe_engines
from mobile_bnn.profiling.messages import EngineInfo


@dataclass(frozen=True)
class Job:
    """One file to be measured with one kernel of one engine."""

    engine: str
    kernel: str
    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))  # whoever makes a job may give a str


def jobs_for(path: Path | str, engine_names: Iterable[str], engines: Sequence[EngineInfo] | None = None) -> list[Job]:
    """The jobs for a file: "lce" means the kernels worth comparing, "lce:indirect_bgemm" only that one.

    "delegate" is the best instruction set of the machine that measures; "delegate:avx2" another one that it has.

    Args:
        path: the file.
        engine_names: engines, or engine:kernel.
        engines: those that there are, as `Target.describe` tells; by default those of this machine.

    Raises:
        UsageError: an engine or kernel is unknown; the nearest names are suggested.
    """
    by_name = {engine.name: engine for engine in (describe_engines() if engines is None else engines)}
    jobs = []
    for name in engine_names:
        engine_name, colon, kernel = name.partition(":")
        engine = look_up("engine", engine_name, by_name)
        known = (*engine.kernels, *engine.further_kernels)
        if colon and kernel not in known:
            raise unknown(f"kernel of engine {engine_name}", kernel, known)
        kernels = (kernel,) if colon else engine.kernels
        jobs += [Job(engine_name, each, Path(path)) for each in kernels]
    return list(dict.fromkeys(jobs))
