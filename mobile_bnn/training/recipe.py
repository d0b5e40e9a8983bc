"""The recipe of a training run: every choice that its result depends on, in one TOML file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, model_validator
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from mobile_bnn import methods, tasks, zoo
from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.files import write_text
from mobile_bnn.named_options import NamedOptions
from mobile_bnn.training.initial_weights import choices_of
from mobile_bnn.training.nested import Nested, merge, nest, upgrade
from mobile_bnn.training.recipe_defaults import bowed
from mobile_bnn.training.sections import (
    NETWORK,
    SECTIONS,
    Count,
    Data,
    FloatTwin,
    Optimizer,
    RunTeacher,
    Runtime,
    Schedule,
    fields_of,
    make_section,
)
from mobile_bnn.typing import Json
from mobile_bnn.validation import problems
from mobile_bnn.zoo import Network

_VERSION: Literal[2] = 2


class Recipe(BaseModel):
    """What to train, on what, and how. `Recipe.read` and `write` are its TOML form."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[2] = Field(_VERSION, description="of this file")
    zoo: str = Field(description="architecture, a name of `mbnn zoo list`")
    epochs: Count = Field(description="passes over the training images")
    weights: str | None = Field(
        None,
        description="what training begins with: a tag of mbnn zoo list --weights, a run folder or a .keras file; "
        "layers for other classes begin at random",
    )
    task: InstanceOf[tasks.Task] = Field(description="what the network learns")
    network: InstanceOf[Network] = Field(
        default_factory=Network, description="what is changed about the architecture; its options"
    )
    method: InstanceOf[methods.Method] = Field(description="binarization method, a name of `mbnn methods list`")
    data: Data = Field(description="what to train on")
    optimizer: Optimizer = Field(description="adam, adamax, rmsprop or sgd; a method may replace it")
    schedule: Schedule = Field(description="learning rate: cosine, linear, exponential, step or constant")
    teacher: RunTeacher | FloatTwin | None = Field(
        None, description="distillation (Hinton et al. 2015) from another run (run) or a float_twin trained first"
    )
    runtime: Runtime = Field(description="how the training runs")

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        if self.schedule.warmup_epochs >= self.epochs:
            raise ValueError(
                f"schedule.warmup_epochs: must be less than epochs ({self.schedule.warmup_epochs:g} of {self.epochs}); "
                "warmup_epochs=0 takes the warm-up out"
            )
        return self

    @classmethod
    def make(cls, source: str = "recipe", **fields: Json) -> "Recipe":
        """A recipe from its fields, by sections, paths or flat names (see `nested.nest`).

        Raises:
            UsageError: a field is unknown, ill-typed or out of range; `source` and the field are named.
        """
        return cls._of(source, merge({}, nest(fields, source)))

    @classmethod
    def _of(cls, source: str, nested: Nested) -> "Recipe":
        version = nested.get("schema_version", _VERSION)
        if version != _VERSION:
            raise MobileBnnError(
                f"{source} is a recipe of version {version}",
                why=f"this mobile_bnn reads versions 1 and {_VERSION}",
                cure="Install the mobile_bnn that wrote it",
            )
        values = {key: value for key, value in nested.items() if key not in SECTIONS}
        for section in SECTIONS:
            given = nested.get(section, {})
            if not isinstance(given, dict):
                raise UsageError(f"{source}: {section}: is a section, or a name (got {given!r})")
            if section == "teacher":
                given = {**values["method"].teacher, **given}
            if section == NETWORK:
                values[section] = zoo.network(nested["zoo"], given, source) if "zoo" in nested else Network()
            elif given or section != "teacher":
                values[section] = make_section(section, given, source)
        try:
            recipe = cls(**values)
        except ValidationError as error:
            raise UsageError(f"{source}: {problems(error)}") from error
        zoo.get(recipe.zoo)
        return recipe

    @classmethod
    def read(cls, path: Path | str, **overrides: Json) -> "Recipe":
        """The recipe in a TOML file; `overrides` replace its fields, None restores a field's default.

        Raises:
            UsageError: no such file, not TOML, or a field that is wrong.
            MobileBnnError: a recipe of a later version.
        """
        path = Path(path)
        if not path.is_file():
            raise UsageError(f"there is no recipe {path}")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not a TOML file", why=first_line(error)) from error
        source = str(path)
        return cls._of(source, merge(_parse(text, source), nest(overrides, source)))

    @classmethod
    def of_zoo(cls, name: str, **overrides: Json) -> "Recipe":
        """The zoo's own recipe of that name (`zoo/recipes/`); for an architecture of another package, the defaults.

        `overrides` replace its fields, None restores a field's default. Where the rest of the recipe, which was made
        for one data set and many epochs, does not fit to them, it bows: see `recipe_defaults`.
        """
        zoo.get(name)
        given = nest(overrides, f"recipe {name}")
        # Not by importlib.resources: in an editable install that one finds a copy from install time.
        path = Path(zoo.__file__).parent / "recipes" / f"{name}.toml"
        source = f"recipe {name}"
        own = _parse(path.read_text(encoding="utf-8"), source) if path.is_file() else {"zoo": name, "epochs": 30}
        if given.get("weights"):
            own |= choices_of(given["weights"], name)
        return cls._of(source, merge(bowed(own, given), given))

    def nested(self) -> Nested:
        """The fields as TOML has them: without those that are None."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {
            name: fields_of(value) if isinstance(value, NamedOptions) else value
            for name, value in values
            if value is not None and not (isinstance(value, Network) and not type(value).model_fields)
        }

    def write(self, path: Path | str) -> None:
        """Writes the recipe as commented TOML, atomically. A field that is None is left out, as TOML has no null."""
        document = tomlkit.document()
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if not isinstance(value, NamedOptions):
                document.add(tomlkit.comment(f"{name}: {field.description}"))
                if value is not None:
                    document.add(name, value)
        for name, value in self.nested().items():
            if isinstance(value, dict):
                document.add(tomlkit.nl())
                description = type(self).model_fields[name].description
                document.add(name, _table(getattr(self, name), value, str(description)))
        write_text(path, tomlkit.dumps(document))

    def differences(self, other: "Recipe") -> list[str]:
        """The fields in which two recipes differ, as "name: a → b"."""
        mine, theirs = dict(_leaves(self.nested())), dict(_leaves(other.nested()))
        names = [*mine, *(name for name in theirs if name not in mine)]
        pairs = ((name, mine.get(name), theirs.get(name)) for name in names)
        return [f"{name}: {one} → {another}" for name, one, another in pairs if one != another]


def _parse(text: str, source: str) -> Nested:
    try:
        fields = tomlkit.parse(text).unwrap()
    except TOMLKitError as error:
        raise UsageError(f"{source} is not a TOML file", why=first_line(error)) from error
    return nest(upgrade(fields), source)


def _table(section: NamedOptions, values: Nested, description: str) -> Table:
    """A section as a TOML table with a comment before each field; tables within come last, as TOML wants them."""
    table = tomlkit.table()
    fields = type(section).model_fields
    if "name" not in fields and "name" in values:
        table.add(tomlkit.comment(f"name: {description}"))
        table.add("name", values["name"])
    for name, field in sorted(fields.items(), key=lambda item: isinstance(values.get(item[0]), dict)):
        table.add(tomlkit.comment(f"{name}: {field.description}"))
        if name in values:
            table.add(name, values[name])
    return table


def _leaves(nested: Nested, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
