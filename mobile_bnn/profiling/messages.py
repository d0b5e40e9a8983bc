"""What a target and its measuring process say to each other: one request, one answer, as JSON.

Each message carries the protocol's number, and either side refuses any other: the two may be on different machines,
with different versions of this package. Paths are those of the target.
"""

import json
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.profile_records import Condition, Energy, Machine, OperatorLatency

PROTOCOL: Literal[2] = 2

M = TypeVar("M", bound="Message")


class Message(BaseModel):
    """A JSON object of this protocol; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    protocol: Literal[2] = PROTOCOL

    def encode(self) -> bytes:
        """The message as JSON."""
        return self.model_dump_json().encode("utf-8")

    @classmethod
    def parse(cls: type[M], content: bytes, sender: str) -> M:
        """Reads a message; `sender` starts an error's sentence, e.g. "the worker".

        Raises:
            MobileBnnError: it is of another protocol, or not such a message.
        """
        try:
            fields = json.loads(content)
            spoken = fields.get("protocol") if isinstance(fields, dict) else None
            if spoken != PROTOCOL:
                raise MobileBnnError(
                    f"{sender} speaks protocol {spoken}",
                    why=f"this mobile_bnn speaks protocol {PROTOCOL}",
                    cure="Install the same mobile_bnn on both sides",
                )
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise MobileBnnError(f"{sender} sent a message that cannot be read", why=why) from error
        except (ValueError, RecursionError) as error:
            raise MobileBnnError(f"{sender} sent a message that cannot be read", why=first_line(error)) from error


class Question(Message):
    """What a worker is asked: "describe", whose answer is a `TargetInfo`, or a `Request` to measure."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    ask: Literal["describe", "measure"]


class Request(Message):
    """What to measure, and how long: the answer is an `Answer`.

    At least `runs` inferences are timed, and more of them until `min_seconds` have passed; `max_seconds` bounds
    warm-up and runs together, but not the fewest runs.
    """

    ask: Literal["measure"] = "measure"
    engine: str
    kernel: str
    path: str
    threads: int
    runs: int
    warmup: int | None = Field(None, description="inferences not counted; null: until their times are stable")
    min_seconds: float = 0.0
    max_seconds: float
    cpus: list[int] = Field(default_factory=list, description="to be pinned to; empty: to none")
    operators: bool = Field(True, description="time the operators too, in inferences of their own")
    peak: bool = Field(False, description="time the machine's fastest binary multiply-accumulates too")
    inputs: str = Field("", description="a file: for each sample each input of the model, as its bytes; empty: random")
    samples: int = Field(0, description="how many samples of `inputs` to run for `Figures.outputs`")


class EngineInfo(BaseModel):
    """An engine on a target: its version, the kernels worth comparing, further ones, and why it cannot run there."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    version: str
    kernels: tuple[str, ...]
    further_kernels: tuple[str, ...] = ()
    unavailable: str = ""


class TargetInfo(Message):
    """What a target is: the machine, now, and its engines."""

    machine: Machine
    condition: Condition = Condition()
    engines: list[EngineInfo]


class RawTrace(BaseModel):
    """The logs of the native library for inferences in a row, where the one who measured cannot read the file itself.

    Each "ends" says for each inference how long the log was after it, in bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    warm_up: int = Field(description="inferences that do not count")
    own: str = Field(description="of the library's operators; empty where it took no part")
    own_ends: list[int]
    every: str = Field(description="of every node of the runtime")
    every_ends: list[int]


class Statistics(BaseModel):
    """What a tool says of its latencies that prints no single one, such as TFLite's benchmark_model; null: not told."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    runs: int
    mean_ms: float
    min_ms: float
    max_ms: float
    std_ms: float = 0.0
    p5_ms: float | None = None
    median_ms: float | None = None
    p95_ms: float | None = None


class Figures(BaseModel):
    """What was measured: the very file, the latency of every run in order of time, and of operators where known."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file_sha256: str
    load_ms: float = Field(description="creating the interpreter and allocating its tensors")
    first_ms: float = Field(description="the first inference")
    warmup_runs: int
    latencies_ms: list[float]
    peak_memory_bytes: int
    before: Condition = Condition()
    after: Condition = Condition()
    operator_times: list[OperatorLatency] = Field(default_factory=list)
    operator_times_plain: list[OperatorLatency] = Field(default_factory=list, description="without XNNPACK")
    trace: RawTrace | None = Field(None, description="instead of operator_times")
    trace_plain: RawTrace | None = Field(None, description="instead of operator_times_plain")
    delegated_operators: int | None = None
    peak_gmacs: float | None = Field(None, description="of one core")
    outputs: list[str] = Field(
        default_factory=list, description="base64 of each output's bytes, all samples one after the other"
    )
    energy: Energy | None = None
    statistics: Statistics | None = Field(None, description="where there are no latencies_ms, which are then empty")


class Answer(Message):
    """The figures, or the error in its three parts: what, why, cure; and what only the one who measured knows.

    `kernel` is the one that ran, with its tile where it has one: avx2-6x64 where the request said "auto" or "avx2".
    """

    machine: Machine
    engine_version: str
    kernel: str
    figures: Figures | None = None
    error: tuple[str, str, str] | None = None
