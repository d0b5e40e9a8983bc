"""The sections of a recipe: data, optimizer, learning-rate schedule, teacher and runtime; each has defaults."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, model_validator

from mobile_bnn import methods, tasks, zoo
from mobile_bnn.named_options import NamedOptions
from mobile_bnn.names import look_up
from mobile_bnn.typing import Json, JsonObject

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Section(NamedOptions):
    """A section; one that is a choice between several has its name as `choice`."""

    choice: ClassVar[str] = ""

    @classmethod
    def registered_name(cls) -> str:
        """Its name in the recipe; nothing where there is no choice."""
        return cls.choice


class Data(Section):
    """What to train on."""

    kind = "data"
    name: str = Field("digits", description="digits, mnist, fashion_mnist, cifar10, image_folder:PATH or a TFDS name")
    image_size: Count | None = Field(
        None, description="height and width to resize to; needed where images differ in size"
    )
    augment: bool = Field(True, description="the data set's usual augmentation of training images")
    validation_fraction: Fraction | None = Field(
        None, description="share of the training images held out for validation; the data set's own choice by default"
    )
    batch_size: Count = Field(64, description="images per step, over all replicas together")


class _Optimizer(Section):
    kind = "optimizer"
    learning_rate: Positive = Field(1e-3, description="after the warm-up")
    clip_norm: Positive | None = Field(
        None, description="all gradients together are scaled down to this norm where theirs is larger"
    )
    weight_decay: Positive | None = Field(
        None, description="of kernels, latent ones too: this share of a weight is added to its gradient (L2)"
    )


class Adam(_Optimizer):
    """Adam (Kingma and Ba 2015)."""

    choice = "adam"


class AdaMax(_Optimizer):
    """AdaMax, Adam with the infinity norm (Kingma and Ba 2015), as BinaryNet was trained."""

    choice = "adamax"


class RmsProp(_Optimizer):
    """RMSprop (Hinton 2012)."""

    choice = "rmsprop"
    momentum: Fraction = Field(0.0, description="share of the former step that is kept")


class Sgd(_Optimizer):
    """Stochastic gradient descent."""

    choice = "sgd"
    learning_rate: Positive = Field(0.1, description="after the warm-up")
    momentum: Fraction = Field(0.9, description="share of the former step that is kept")
    nesterov: bool = Field(False, description="Nesterov's momentum")


class _Schedule(Section):
    kind = "schedule"
    warmup_epochs: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="epochs in which the learning rate rises from 0, linearly"
    )


class Cosine(_Schedule):
    """Down to 0 along a cosine."""

    choice = "cosine"


class Linear(_Schedule):
    """Down to 0 along a straight line."""

    choice = "linear"


class Exponential(_Schedule):
    """Down to a share of it, by the same factor in each step."""

    choice = "exponential"
    final: Annotated[float, Field(gt=0, lt=1)] = Field(1e-3, description="the share of it that is left at the end")


class Step(_Schedule):
    """Down by a factor after some epochs."""

    choice = "step"
    epochs: list[Count] = Field(default_factory=list, description="after which the learning rate steps down")
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="what it is multiplied with there")

    @model_validator(mode="after")
    def _rising(self) -> "Step":
        if not self.epochs:
            raise ValueError("epochs: needs at least one, such as epochs=[30,60]")
        if sorted(set(self.epochs)) != self.epochs:
            raise ValueError("epochs: must rise")
        return self


class Constant(_Schedule):
    """As it is."""

    choice = "constant"


class _Teacher(Section):
    kind = "teacher"
    temperature: Positive = Field(1.0, description="T: both networks' logits are divided by it")
    weight: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="of the teacher's loss; the rest is the task's"
    )
    attention: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="factor of the loss between the attention maps of layers of one name in both networks"
    )


class RunTeacher(_Teacher):
    """The model of another run."""

    choice = "run"
    run: str = Field("", description="its folder")

    @model_validator(mode="after")
    def _named(self) -> "RunTeacher":
        if not self.run:
            raise ValueError("run: names no folder")
        return self


class FloatTwin(_Teacher):
    """The same network in full precision, trained first by the same recipe, in the folder `teacher` of the run."""

    choice = "float_twin"
    epochs: Count | None = Field(None, description="of its training; as many as the student's by default")


class Runtime(Section):
    """How the training runs."""

    kind = "runtime"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(0, description="of weights, data order and augmentation")
    flip_ratio: bool = Field(
        True, description="measure the share of binary weights that change sign in a step; not under a strategy"
    )
    strategy: Literal["none", "mirrored", "multi_worker"] = Field(
        "none", description="tf.distribute: none, all local devices, or the workers of TF_CONFIG"
    )
    jit: bool = Field(False, description="compile the training step by XLA")


Optimizer: TypeAlias = Adam | AdaMax | RmsProp | Sgd
Schedule: TypeAlias = Cosine | Linear | Exponential | Step | Constant
Teacher: TypeAlias = RunTeacher | FloatTwin

# The sections that are a choice by name: the name that is meant where none is given, and the choices.
CHOICES: dict[str, tuple[str, Mapping[str, type[Section]]]] = {
    "optimizer": ("adam", {each.choice: each for each in (Adam, AdaMax, RmsProp, Sgd)}),
    "schedule": ("cosine", {each.choice: each for each in (Cosine, Linear, Exponential, Step, Constant)}),
    "teacher": ("run", {each.choice: each for each in (RunTeacher, FloatTwin)}),
}
DEFAULT_NAMES = {"method": "bnn", "task": "classification", **{key: name for key, (name, _) in CHOICES.items()}}
SINGLE: dict[str, type[Section]] = {"data": Data, "runtime": Runtime}
NETWORK = "network"  # whose class is the architecture's
SECTIONS = (*DEFAULT_NAMES, *SINGLE, NETWORK)


def section_class(section: str, name: str) -> type[NamedOptions]:
    """The class of a section whose name is `name`.

    Raises:
        UsageError: there is none of that name; the nearest ones are suggested.
    """
    if section in SINGLE:
        return SINGLE[section]
    if section in CHOICES:
        return look_up(section, name, CHOICES[section][1])
    return methods.get(name) if section == "method" else tasks.get(name)


def make_section(section: str, fields: Mapping[str, Json], source: str) -> NamedOptions:
    """A section from its fields, "name" among them where it is a choice.

    Raises:
        UsageError: the name or a field is unknown, ill-typed or out of range; `source` begins the message.
    """
    if section in SINGLE:
        return SINGLE[section].create(source, **fields)
    rest = {key: value for key, value in fields.items() if key != "name"}
    return section_class(section, str(fields.get("name", DEFAULT_NAMES[section]))).create(source, **rest)


def fields_of(section: NamedOptions) -> JsonObject:
    """The fields of a section as `make_section` takes them, those that are None left out."""
    name = {} if isinstance(section, Data | Runtime | zoo.Network) else {"name": section.registered_name()}
    return {**name, **section.model_dump(exclude_none=True)}
