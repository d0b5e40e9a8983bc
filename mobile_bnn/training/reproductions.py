"""Published results, and trainings of our own, as recipes that anyone with the data can run: `zoo/reproductions/`.

A file NAME.toml has a table [recipe], whose fields replace those of the architecture's own recipe, and, where it is a
paper's, a table [published]. What was reproduced is a row of reproduced.json beside them; a result without one was not
reproduced here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from mobile_bnn import zoo
from mobile_bnn.errors import UsageError, first_line
from mobile_bnn.names import unknown
from mobile_bnn.records import Record
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.validation import problems

# Not by importlib.resources: in an editable install that one finds a copy from install time.
FOLDER = Path(zoo.__file__).parent / "reproductions"
_ROWS = "reproduced.json"


class Claim(BaseModel):
    """A published result, and where the recipe for it is from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    network: str = Field(description="as its authors call it")
    value: float = Field(gt=0, lt=100, description="of the task's headline metric, in percent")
    source: str = Field(description="where the number stands")
    hyperparameters: str = Field(description="where they stand, and what was chosen for want of them")
    differs: str = Field("", description="in what the recipe differs from the training that was published")


@dataclass(frozen=True)
class Reproduction:
    """A recipe, and the result that it is to reproduce; None for trainings of our own."""

    name: str
    recipe: Recipe
    published: Claim | None


class Row(BaseModel):
    """What came of a reproduction."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    headline: str = Field(description="the metric, such as top-1")
    keras: float = Field(description="of the Keras model on the test split, 0 to 1")
    tflite: float = Field(description="of the .tflite file, 0 to 1")
    images: int = Field(description="of the test split")
    epochs: int
    hours: float = Field(description="of training")
    processor: str
    versions: str = Field(description="of mobile_bnn and TensorFlow")


class Reproduced(Record):
    """What was reproduced, by name."""

    kind: ClassVar[str] = "table of reproductions"
    rows: dict[str, Row] = Field(default_factory=dict)


def names() -> list[str]:
    """All reproductions, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def get(name: str) -> Reproduction:
    """The reproduction of that name.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    if name not in names():
        raise unknown("reproduction", name, names(), "those of mbnn reproduce, without a name")
    return read(FOLDER / f"{name}.toml")


def read(path: Path) -> Reproduction:
    """The reproduction in a file.

    Raises:
        UsageError: it is not one; the field that is wrong is named.
    """
    try:
        tables = tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
        published = Claim(**tables.pop("published")) if "published" in tables else None
        fields = tables.pop("recipe")
        recipe = Recipe.of_zoo(fields.pop("zoo"), **fields)
    except TOMLKitError as error:
        raise UsageError(f"{path} is not a TOML file", why=first_line(error)) from error
    except KeyError as error:
        raise UsageError(f"{path} has no table [recipe] with an architecture, zoo") from error
    except ValidationError as error:
        raise UsageError(f"{path}: {problems(error, 'published')}") from error
    if tables:
        raise UsageError(f"{path}: unknown table {next(iter(tables))!r}", cure="Known: published, recipe")
    return Reproduction(path.stem, recipe, published)


def reproduced() -> dict[str, Row]:
    """What was reproduced, by name."""
    path = FOLDER / _ROWS
    return Reproduced.load(path).rows if path.is_file() else {}


def keep(name: str, row: Row) -> Path | None:
    """Writes a row into the table, in a checkout of the source; elsewhere there is none to write into."""
    if not (FOLDER.parents[1] / "pyproject.toml").is_file():
        return None
    Reproduced(rows=dict(sorted({**reproduced(), name: row}.items()))).save(FOLDER / _ROWS)
    return FOLDER / _ROWS
