"""The result of a run: one JSON file for each CPU."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from records import OfOneCpu


class Figure(BaseModel):
    """One converter on one model of the zoo: medians over fresh processes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str
    converter: str
    seconds: float
    cpu_seconds: float = Field(description="of all threads: what a busy machine does not change")
    memory_bytes: int = Field(description="highest resident set, above that with the Keras model built")
    file_bytes: int


class ConversionResult(OfOneCpu):
    """Everything that one run measured."""

    kind: ClassVar[str] = "conversion benchmark"
    figures: list[Figure]

    def figure(self, model: str, converter: str) -> Figure:
        """One of them."""
        return next(item for item in self.figures if (item.model, item.converter) == (model, converter))
