"""The recipe of a training run: every choice that its result depends on, in one TOML file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from tomlkit.exceptions import TOMLKitError

from mobile_bnn import methods, zoo
from mobile_bnn.errors import UsageError, first_line
from mobile_bnn.files import write_text
from mobile_bnn.names import unknown
from mobile_bnn.training.recipe_defaults import bowed

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Recipe(BaseModel):
    """What to train, on what, and how. `Recipe.read` and `write` are its TOML form."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    zoo: str = Field(description="architecture, a name of `mbnn zoo list`")
    method: str = Field("bnn", description="binarization method, a name of `mbnn methods list`")
    dataset: str = Field(
        "digits", description="digits, mnist, fashion_mnist, cifar10, image_folder:PATH or a TFDS name"
    )
    image_size: Count | None = Field(
        None, description="height and width to resize to; needed where images differ in size"
    )
    augment: bool = Field(True, description="the data set's usual augmentation of training images")
    validation_fraction: Fraction | None = Field(
        None, description="share of the training images held out for validation; the data set's own choice by default"
    )

    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(64, description="images per step, over all replicas together")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(0, description="of weights, data order and augmentation")

    optimizer: Literal["adam", "bop"] = Field(
        "adam", description="adam for all weights, or bop for the binary ones (no latent weights) and adam for the rest"
    )
    learning_rate: Positive = Field(1e-3, description="Adam's, after the warm-up")
    schedule: Literal["cosine", "step", "constant"] = Field(
        "cosine",
        description="learning rate: down to 0 along a cosine, down by step_factor at each of step_epochs, or as is",
    )
    warmup_epochs: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="epochs in which the learning rate rises from 0, linearly"
    )
    step_epochs: list[Count] = Field(default_factory=list, description="epochs after which schedule 'step' steps down")
    step_factor: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="what schedule 'step' multiplies with")
    bop_threshold: Positive = Field(1e-8, description="Bop: gradient signal that flips a weight")
    bop_gamma: Annotated[float, Field(gt=0, le=1)] = Field(1e-4, description="Bop: adaptivity rate")
    weight_clip: Positive | None = Field(None, description="latent weights stay in ±this; the method's own by default")
    label_smoothing: Fraction = Field(0.0, description="share of the target spread evenly over all classes")
    flip_ratio: bool = Field(
        True, description="measure the share of binary weights that change sign in a step; not under a strategy"
    )

    strategy: Literal["none", "mirrored", "multi_worker"] = Field(
        "none", description="tf.distribute: none, all local devices, or the workers of TF_CONFIG"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        if self.schedule == "step" and not self.step_epochs:
            raise ValueError("step_epochs: schedule 'step' needs at least one epoch, such as step_epochs=[30,60]")
        if self.schedule != "step" and self.step_epochs:
            raise ValueError(
                f"step_epochs: only schedule 'step' has steps, not {self.schedule!r}; step_epochs=[] takes them out"
            )
        if sorted(set(self.step_epochs)) != self.step_epochs:
            raise ValueError("step_epochs: must rise")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs: must be less than epochs ({self.warmup_epochs:g} of {self.epochs}); "
                "warmup_epochs=0 takes the warm-up out"
            )
        return self

    @classmethod
    def make(cls, source: str = "recipe", **fields: Any) -> "Recipe":
        """A recipe from its fields.

        Raises:
            UsageError: a field is unknown, ill-typed or out of range; `source` and the field are named.
        """
        cls._check_names(source, fields)
        try:
            recipe = cls(**fields)
        except ValidationError as error:
            raise UsageError(f"{source}: {'; '.join(_problem(problem) for problem in error.errors())}") from error
        zoo.get(recipe.zoo)
        methods.get(recipe.method)
        return recipe

    @classmethod
    def _check_names(cls, source: str, names: Iterable[str]) -> None:
        for name in names:
            if name not in cls.model_fields:
                raise UsageError(f"{source}: {unknown('field', name, list(cls.model_fields))}")

    @classmethod
    def _overridden(cls, source: str, fields: dict[str, Any], overrides: dict[str, Any]) -> "Recipe":
        cls._check_names(source, overrides)
        return cls.make(source, **{n: value for n, value in {**fields, **overrides}.items() if value is not None})

    @classmethod
    def read(cls, path: Path | str, **overrides: Any) -> "Recipe":
        """The recipe in a TOML file; `overrides` replace its fields, None restores a field's default.

        Raises:
            UsageError: no such file, not TOML, or a field that is wrong.
        """
        path = Path(path)
        if not path.is_file():
            raise UsageError(f"there is no recipe {path}")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not a TOML file", why=first_line(error)) from error
        return cls._overridden(str(path), _parse(text, str(path)), overrides)

    @classmethod
    def of_zoo(cls, name: str, **overrides: Any) -> "Recipe":
        """The zoo's own recipe of that name (`zoo/recipes/`).

        `overrides` replace its fields, None restores a field's default. Where the rest of the recipe, which was made
        for one data set and many epochs, does not fit to them, it bows: see `recipe_defaults`.
        """
        zoo.get(name)
        # Not by importlib.resources: in an editable install that one finds a copy from install time.
        text = (Path(zoo.__file__).parent / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
        source = f"recipe {name}"
        return cls._overridden(source, bowed(_parse(text, source), overrides), overrides)

    def write(self, path: Path | str) -> None:
        """Writes the recipe as commented TOML, atomically. A field that is None is left out, as TOML has no null."""
        document = tomlkit.document()
        for name, field in type(self).model_fields.items():
            document.add(tomlkit.comment(f"{name}: {field.description}"))
            value = getattr(self, name)
            if value is not None:
                document.add(name, value)
        write_text(path, tomlkit.dumps(document))

    def differences(self, other: "Recipe") -> list[str]:
        """The fields in which two recipes differ, as "name: a → b"."""
        pairs = ((name, getattr(self, name), getattr(other, name)) for name in type(self).model_fields)
        return [f"{name}: {mine} → {theirs}" for name, mine, theirs in pairs if mine != theirs]


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomlkit.parse(text).unwrap()
    except TOMLKitError as error:
        raise UsageError(f"{source} is not a TOML file", why=first_line(error)) from error


def _problem(problem: Any) -> str:
    """One of pydantic's error records in a clause that begins with the field's name."""
    field = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{field}: is missing"
    return f"{field}: {message} (got {problem['input']!r})" if field else message
