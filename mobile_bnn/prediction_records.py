"""What a file predicts of each class: the JSON record that a verification of a classifier leaves beside its own."""

from typing import ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mobile_bnn.records import Record, Verification

MOST_MISTAKES = 24
MOST_PIXELS = 64  # of a thumbnail's longer side
_IMAGE = r"^(data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2})?$"


class Cell(NamedTuple):
    """One cell of a confusion matrix, in JSON [true, predicted, images]; classes by number."""

    true: int
    predicted: int
    images: int


class Mistake(BaseModel):
    """An image that the file takes for another class."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    index: int = Field(ge=0, description="of the image in its split")
    true: int = Field(description="number of its class")
    predicted: int = Field(description="number of the class that the file takes it for")
    image: str = Field(
        pattern=_IMAGE,
        max_length=50_000,
        description="a data: URL of at most 64 by 64 pixels; empty for pixels that are neither grey nor RGB",
    )


class Predictions(Record):
    """What the file predicts on one split of the data, class by class."""

    kind: ClassVar[str] = "predictions"
    dataset: str
    split: str
    samples: int
    labels: list[str] = Field(description="class names in the order of the outputs")
    confusion: list[Cell] = Field(description="the cells of the matrix that hold images: [true, predicted, images]")
    mistakes: list[Mistake] = Field(
        max_length=MOST_MISTAKES, description="an even sample of the misclassified images, in the order of the split"
    )
    graph_sha256: str = Field("", description="of the file, without our metadata record")

    @model_validator(mode="after")
    def _counts_every_image(self) -> "Predictions":
        if (counted := sum(cell.images for cell in self.confusion)) != self.samples:
            raise ValueError(f"confusion: {counted} images, not {self.samples}")
        return self

    def name(self, number: int) -> str:
        """The name of a class; its number where the data set has no name for it."""
        return self.labels[number] if 0 <= number < len(self.labels) else f"class {number}"

    def is_of(self, verification: Verification) -> bool:
        """Whether that verification counted them: the same file on the same images."""
        fields = ("dataset", "split", "samples", "graph_sha256")
        return all(getattr(self, field) == getattr(verification, field) for field in fields)
