"""What a target and its measuring process say to each other: one request, one answer, as JSON."""

from pydantic import BaseModel, ConfigDict

from mobile_bnn.records import Machine


class Request(BaseModel):
    """What to measure, and how long.

    At least `runs` inferences are timed, and more of them until `min_seconds` have passed; `max_seconds` bounds
    warm-up and runs together, but not the fewest runs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    engine: str
    kernel: str
    path: str
    threads: int
    runs: int
    warmup: int
    min_seconds: float = 0.0
    max_seconds: float


class Figures(BaseModel):
    """What was measured: the very file, and the latency of every run in order of time."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file_sha256: str
    load_ms: float
    warmup_runs: int
    latencies_ms: list[float]
    peak_memory_bytes: int


class Answer(BaseModel):
    """The figures, or the error in its three parts: what, why, cure; and what only the one who measured knows.

    `kernel` is the one that ran where the request said "auto".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    machine: Machine
    engine_version: str
    kernel: str
    figures: Figures | None = None
    error: tuple[str, str, str] | None = None
