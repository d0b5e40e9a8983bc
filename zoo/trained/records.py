"""What is known of weights that come with the package: a record beside them."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256
from mobile_bnn.names import unknown
from mobile_bnn.records import Record
from mobile_bnn.typing import Json

FOLDER = Path(__file__).resolve().parent.parent / "weights"
"""In it NAME/TAG/, each with record.json and the files that it names."""

WEIGHTS, TFLITE, RECIPE, HISTORY, DATASET = "weights.npz", "model.tflite", "recipe.toml", "history.json", "dataset.json"
RECORD = "record.json"


class Trained(Record):
    """Weights of an architecture, what they were trained on, and how good they are.

    The recipe and the history of the training, epoch by epoch, lie beside them.
    """

    kind: ClassVar[str] = "record of trained weights"
    zoo: str = Field(description="the architecture, a name of mbnn zoo list")
    tag: str = Field(description="of these weights, among those of the architecture")
    task: dict[str, Json] = Field(description="name and options, as in a recipe")
    method: dict[str, Json] = Field(description="name and hyperparameters, as in a recipe")
    network: dict[str, Json] = Field(description="what is changed about the architecture")
    input_shape: tuple[int, int, int] = Field(description="height, width, channels")
    num_classes: int
    dataset: str
    images: int = Field(description="of the test split, on which the metrics were measured")
    epochs: int
    seed: int
    headline: str = Field(description="the task's metric, such as top-1")
    keras: float = Field(description="the metric of the Keras model, 0 to 1")
    tflite: float = Field(description="the metric of the .tflite file, 0 to 1")
    float_twin: float | None = Field(
        None, description="the metric of the same network without binary layers, trained by the same recipe"
    )
    command: str = Field(description="what trains them anew")
    trained_on: str = Field(description="processor and versions")
    sha256: dict[str, str] = Field(description="of each file, by its name")

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return FOLDER / self.zoo / self.tag

    def file(self, name: str) -> Path:
        """The path of a file.

        Raises:
            MobileBnnError: it is missing, or not the one that the record is about.
        """
        path = self.folder / name
        if not path.is_file() or sha256(path) != self.sha256[name]:
            state = "is damaged: its SHA-256 is another" if path.is_file() else "is missing"
            raise MobileBnnError(f"{path} {state}", cure="Install mobile_bnn anew")
        return path

    def __str__(self) -> str:
        """NAME:TAG."""
        return f"{self.zoo}:{self.tag}"


def tags(name: str) -> list[str]:
    """The tags of an architecture's trained weights, sorted; none for most."""
    return sorted(path.parent.name for path in (FOLDER / name).glob(f"*/{RECORD}"))


def trained(name: str, tag: str) -> Trained:
    """What is known of an architecture's weights.

    Raises:
        UsageError: there are none of that architecture, or of that tag; the nearest are suggested.
    """
    known = tags(name)
    if not known:
        others = sorted({path.parts[-3] for path in FOLDER.glob(f"*/*/{RECORD}")})
        raise UsageError(f"there are no trained weights of {name}", cure=f"Choose one of {', '.join(others)}")
    if tag not in known:
        raise unknown(f"weights of {name}", tag, known)
    return Trained.load(FOLDER / name / tag / RECORD)
