"""The result of a run: one JSON file for each CPU."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from records import OfOneCpu


class Step(BaseModel):
    """A training step with a method, and the two beside it: the least of their times in milliseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    method: str
    step_ms: float
    bnn_ms: float
    plain_ms: float = Field(description="of Larq's and Keras's layers alone")


class StepResult(OfOneCpu):
    """Everything that one run measured."""

    kind: ClassVar[str] = "training benchmark"
    zoo: str
    batch: int
    steps: list[Step]
