"""What a target and its measuring process say to each other: one request, one answer, as JSON."""

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """What to measure, and how long: `max_seconds` bounds warm-up and runs together, but not the fewest runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    engine: str
    kernel: str
    path: str
    threads: int
    runs: int
    warmup: int
    max_seconds: float


class Figures(BaseModel):
    """What was measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    load_ms: float
    warmup_runs: int
    latencies_ms: list[float]
    peak_memory_bytes: int


class Answer(BaseModel):
    """The figures, or the error in its three parts: what, why, cure."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    figures: Figures | None = None
    error: tuple[str, str, str] | None = None
