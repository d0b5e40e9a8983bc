"""The result of a run: one JSON file for each CPU."""

import re
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn.profile_records import Machine
from mobile_bnn.records import Record

R = TypeVar("R", bound=Record)


class Latency(BaseModel):
    """One engine on one case."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    case: str
    engine: str
    threads: int
    median_ms: float


class Footprint(BaseModel):
    """One engine on QuickNetSmall in fresh processes, one thread."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    engine: str
    start_up_ms: float = Field(description="creating the interpreter and the first inference")
    memory_bytes: int = Field(description="highest resident set, above that before creating the interpreter")


class OfOneCpu(Record):
    """A result that tells on which CPU it was measured, and is kept under its name."""

    cpu: str = Field(description="as the CPU calls itself, with its family and model")
    machine: Machine
    versions: dict[str, str]
    rounds: int

    @property
    def file_name(self) -> str:
        """Named after the CPU."""
        return re.sub(r"[^a-z0-9]+", "-", self.cpu.lower()).strip("-") + ".json"


class BenchResult(OfOneCpu):
    """Everything that one run measured."""

    kind: ClassVar[str] = "benchmark"
    threads: list[int]
    binary_macs: dict[str, int] = Field(description="of each case")
    latencies: list[Latency]
    footprints: list[Footprint]

    def engines(self) -> list[str]:
        """In the order in which they were measured."""
        return list(dict.fromkeys(latency.engine for latency in self.latencies))

    def latency_ms(self, case: str, engine: str, threads: int) -> float:
        """One figure."""
        wanted = (case, engine, threads)
        return next(item.median_ms for item in self.latencies if (item.case, item.engine, item.threads) == wanted)


def cpu_of(machine: Machine) -> str:
    """The name of the processor that this runs on."""
    return cpu_name(machine, Path("/proc/cpuinfo").read_text(errors="replace"))


def cpu_name(machine: Machine, cpuinfo: str) -> str:
    """The processor's name; where that is a brand only, as in some virtual machines, family and model tell it."""
    fields = dict(re.findall(r"^(cpu family|model)\s*:\s*(\d+)$", cpuinfo, re.MULTILINE))
    if len(fields) < 2:
        return machine.cpu
    return f"{machine.cpu}, family {fields['cpu family']}, model {fields['model']}"


def read_all(folder: Path, kind: type[R]) -> list[R]:
    """The results in a folder, by name."""
    return [kind.load(path) for path in sorted(folder.glob("*.json"))]
