"""What `mbnn profile` leaves: the versioned record of one target, with all that explains its figures."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn.records import Record
from mobile_bnn.typing import JsonObject


class CoreKind(BaseModel):
    """Cores of one kind, told apart by their highest clock and part number."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Literal["all", "big", "middle", "little"]
    cpus: list[int]
    max_mhz: float | None = None


class Machine(BaseModel):
    """Where a measurement was made: what explains its figures."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    system: str
    cpu: str
    architecture: str
    logical_cores: int
    memory_bytes: int
    governor: str = Field(description="frequency governor of core 0, or 'unknown'")
    flags: list[str] = Field(description="instruction-set flags that binary kernels care about")
    load_1min: float = Field(description="load average before measuring")
    python: str = Field(description="version of Python; empty where there is none")
    board: str = Field("", description="the board or the phone, such as Raspberry Pi 4 Model B Rev 1.4")
    distribution: str = Field("", description="such as Debian GNU/Linux 12 (bookworm) or Android 14")
    bits: int = Field(64, description="of the programs that run there, which a 64-bit kernel does not tell")
    libc: str = Field("", description="such as glibc 2.36 or bionic API 34")
    android_api: int | None = None
    cores: list[CoreKind] = Field(default_factory=list, description="the fastest kind first; empty where not told")
    emulated: bool = Field(False, description="an emulator runs the programs: its times say nothing of a real device")


class Condition(BaseModel):
    """What may slow a machine down, at one moment; what it does not tell is null."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    temperature_c: float | None = Field(None, description="of the hottest sensor, in degrees Celsius")
    mhz: list[float] | None = Field(None, description="current clock of each core that measured")
    throttled: list[str] | None = Field(None, description="what slows the processor down, now or since it started")


class OperatorLatency(BaseModel):
    """How long one operator takes, or several that run as one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    operator: int = Field(description="index of the first one in its subgraph")
    name: str = Field(description="what it computes: LceBconv2d, or LceBconv2d+ADD where operators run as one")
    layer: str = Field(description="the tensor name that the converter gave its output")
    median_ms: float = Field(description="within an inference; of an operator in a loop, of all its steps")
    subgraph: int = Field(0, description="whose operator it is: 0 is the main graph, others are in loops and branches")
    calls: int = Field(1, description="how often it runs in an inference, the median")
    operators: list[int] = Field(
        default_factory=list, description="indices of all that run as one; empty: the first alone, as in older records"
    )
    runs_in: str = Field("delegate", description="who runs it: delegate (our library), xnnpack or litert")


class Parity(BaseModel):
    """What the file computed beside the float file, on the same inputs and in the same session."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    reference: str = Field(description="the file that it was compared with")
    inputs: str = Field(description="which inputs: test images of NAME, random, or the file's reference inputs")
    samples: int
    largest_difference: float = Field(description="largest absolute difference of an output")
    top1_agreement: float = Field(description="share of samples, or of pixels, with the same largest output, 0 to 1")


class Energy(BaseModel):
    """What an inference took from the supply, where the device tells."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    millijoules: float = Field(description="of one inference, idle power included")
    source: str = Field(description="who told: RAPL package, Raspberry Pi 5 PMIC, battery gauge")


class Round(BaseModel):
    """Runs of one process: measurements of a session take turns, so that a drift of the clock hits all alike."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    runs: int
    median_ms: float
    load_ms: float
    first_ms: float
    before: Condition = Condition()
    after: Condition = Condition()


class Measurement(BaseModel):
    """One engine on one file at one thread count, in processes of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    engine: str
    engine_version: str
    kernel: str
    threads: int
    cores: str = Field("", description="all, big, middle or little: what it was pinned to; empty: nothing")
    file: str
    file_bytes: int
    file_sha256: str
    graph_sha256: str = Field("", description="of the file, without our metadata record")
    warmup_runs: int
    runs: int = Field(0, description="inferences timed; 0: as many as there are latencies, as in older records")
    latencies_ms: list[float] = Field(
        description="in order of time; of very many runs a sample with their distribution"
    )
    median_ms: float
    median_low_ms: float | None = Field(None, description="lower end of the median's 95 % interval, by bootstrap")
    median_high_ms: float | None = Field(None, description="upper end of it")
    p90_ms: float
    p99_ms: float
    min_ms: float
    load_ms: float = Field(description="creating the interpreter; in records of version 1 with the first inference")
    first_ms: float | None = Field(None, description="the first inference; null in records of version 1")
    peak_memory_bytes: int = Field(description="peak resident memory of the measuring process")
    rounds: list[Round] = Field(default_factory=list)
    stated: bool = Field(
        False,
        description="a tool measured it that prints statistics and no latencies: p90 and p99 are upper bounds, and the "
        "median is the mean where it prints none",
    )
    throttled: bool = Field(False, description="heat, voltage or a falling clock slowed it down: not comparable")
    delegated_operators: int | None = Field(None, description="operators of the file that our library took")
    operators: int | None = Field(None, description="operators of the file that an inference may run")
    operator_times: list[OperatorLatency] = Field(
        default_factory=list,
        description="in inferences of their own, with XNNPACK as it runs; empty where the engine does not tell",
    )
    operator_times_plain: list[OperatorLatency] = Field(
        default_factory=list, description="without XNNPACK, which runs many float operators as one"
    )
    peak_gmacs: float | None = Field(
        None, description="the most binary multiply-accumulates a second, in 1e9, that one core did in the same session"
    )
    parity: Parity | None = None
    energy: Energy | None = None

    @property
    def timed_runs(self) -> int:
        """How many inferences were timed."""
        return self.runs or len(self.latencies_ms)


class Profile(Record):
    """Every measurement of one profiling session on one target."""

    kind: ClassVar[str] = "profile"
    schema_version: Literal[2] = 2  # type: ignore[assignment]
    target: str
    machine: Machine
    measured_at: str = Field("", description="when it ended, ISO 8601 in UTC; empty in records of version 1")
    measurements: list[Measurement]

    @classmethod
    def upgrade(cls, fields: JsonObject, version: int) -> JsonObject:
        """Version 1 lacked fields that have defaults today."""
        return fields
