"""The versioned JSON records of a run, shared by every stage.

A record names the graph that it is of, by `runtime.graph_sha256`; records of before that have an empty name.
"""

import json
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.files import write_text
from mobile_bnn.typing import JsonObject

R = TypeVar("R", bound="Record")


class Record(BaseModel):
    """A versioned JSON file. Unknown fields are refused; a file of another version is named as such."""

    # A diverged training has NaN and infinite metrics; JSON has no such numbers, so they are written as strings.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")
    kind: ClassVar[str]
    schema_version: Literal[1] = 1

    @classmethod
    def upgrade(cls, fields: JsonObject, version: int) -> JsonObject:
        """The fields of a record of that version as those of the next one; a class with versions overrides this."""
        raise NotImplementedError

    @classmethod
    def upgraded(cls, fields: JsonObject, version: int) -> JsonObject:
        """The fields of a record of that version as those of today."""
        for number in range(version, cls._version()):
            fields = {**cls.upgrade(fields, number), "schema_version": number + 1}
        return fields

    @classmethod
    def _version(cls) -> int:
        return int(cls.model_fields["schema_version"].default)

    def save(self, path: Path | str) -> None:
        """Writes the record to `path`, atomically."""
        write_text(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def load(cls: type[R], path: Path | str) -> R:
        """Reads the record from `path`.

        Raises:
            UsageError: there is no such file.
            MobileBnnError: the file is not such a record, or of another version.
        """
        path = Path(path)
        if not path.is_file():
            raise UsageError(f"there is no {cls.kind} file {path}")
        return cls.parse(path.read_bytes(), f"{path} is")

    @classmethod
    def parse(cls: type[R], content: bytes, subject: str) -> R:
        """Reads the record from JSON bytes; `subject` starts the error's sentence, e.g. "history.json is".

        Raises:
            MobileBnnError: the bytes are not such a record, or of another version.
        """
        try:
            fields = json.loads(content.decode("utf-8"))
            if not isinstance(fields, dict):
                return cls.model_validate(fields)
            version, newest = fields.get("schema_version", 1), cls._version()
            if version not in range(1, newest + 1):
                raise MobileBnnError(
                    f"{subject} a {cls.kind} file of version {version}",
                    why=f"this mobile_bnn reads version{'s 1 to' if newest > 1 else ''} {newest}",
                    cure="Install the mobile_bnn that wrote it, or make the file anew",
                )
            return cls.model_validate(cls.upgraded(fields, version))
        except ValidationError as error:
            first = error.errors()[0]
            why = f"{'.'.join(str(part) for part in first['loc']) or 'the whole'}: {first['msg']}"
            raise MobileBnnError(f"{subject} not a {cls.kind} file", why=why) from error
        except (ValueError, RecursionError) as error:
            raise MobileBnnError(f"{subject} not a {cls.kind} file", why=first_line(error)) from error


class Epoch(BaseModel):
    """One epoch of training: its number from 1, its length in seconds and every metric that Keras reported."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")
    epoch: int
    seconds: float
    learning_rate: float
    metrics: dict[str, float]


class History(Record):
    """The training history: one entry per finished epoch."""

    kind: ClassVar[str] = "training history"
    epochs: list[Epoch] = Field(default_factory=list)
    test: dict[str, float] | None = Field(None, description="loss and metrics on the test split, after the last epoch")
    metric: str = Field("accuracy", description="the metric that the task is judged by")
    headline: str = Field("top-1", description="the name that verifications and reports have for it")


class DatasetRecord(Record):
    """What a model must be told about the data it was trained on: x = (pixel - mean) / std, pixels from 0 to 255."""

    kind: ClassVar[str] = "data set"
    name: str
    input_shape: tuple[int, int, int] = Field(description="height, width, channels")
    labels: list[str] = Field(description="class names in the order of the outputs")
    mean: list[float] = Field(description="per channel")
    std: list[float] = Field(description="per channel")


class LayerCheck(BaseModel):
    """One binary layer's input in Keras against the file's: the bits compared and those that differ.

    A differing bit is a *tie* if what the quantizer looks at is nearer to its threshold than float32 rounding, bounded
    for that very number from the operations that made it, may move it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    layer: str
    operator: int = Field(description="index of the operator in its subgraph")
    bits: int
    flips: int
    ties: int = Field(description="the flips that rounding explains")
    consequences: int = Field(
        0, description="flips propagated from a tie in an earlier layer that ran on its own input"
    )
    rounding: float | None = Field(
        None,
        description="how far rounding may move what the quantizer looks at, at most; 0: all is exact, no bit a tie; "
        "null in records of before",
    )
    subgraph: int = Field(0, description="whose operator it is: 0 is the main graph, others are in loops and branches")


class Pair(BaseModel):
    """A metric of the Keras model and of the file, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    keras: float = Field(description="0 to 1")
    tflite: float = Field(description="0 to 1")


def top1_as_metrics(fields: JsonObject) -> JsonObject:
    """Fields of version 1, which knew classification alone, with metrics by name."""
    rest = {name: value for name, value in fields.items() if name not in ("keras_top1", "tflite_top1")}
    pair = {"keras": fields.get("keras_top1"), "tflite": fields.get("tflite_top1")}
    return {**rest, "headline": "top-1", "metrics": {"top-1": pair}}


class Verification(Record):
    """Keras and the file side by side on one split of the data."""

    kind: ClassVar[str] = "verification"
    schema_version: Literal[2] = 2  # type: ignore[assignment]
    task: str = Field("classification", description="a name of mobile_bnn.tasks")
    dataset: str
    split: str
    samples: int
    headline: str = Field(description="the metric that the task is judged by, such as top-1")
    metrics: dict[str, Pair] = Field(description="of the task, by name")
    classes: dict[str, Pair] = Field(
        default_factory=dict,
        description="of detection the average precision at an overlap of 0.5, of segmentation the intersection over "
        "union of each class, by its name; empty for other tasks",
    )
    agreement: float = Field(description="how far both predict the same, 0 to 1; classification: the same top-1 class")
    largest_difference: float = Field(description="largest absolute difference of an output")
    layers: list[LayerCheck]
    layer_samples: int = Field(description="how many samples the layers were compared on")
    graph_sha256: str = Field("", description="of the file, without our metadata record")
    model_sha256: str = Field("", description="of the Keras file that it was compared with")

    @classmethod
    def upgrade(cls, fields: JsonObject, version: int) -> JsonObject:
        """Version 1 had `keras_top1` and `tflite_top1`."""
        return top1_as_metrics(fields)

    @model_validator(mode="after")
    def _has_headline(self) -> "Verification":
        if self.headline not in self.metrics:
            raise ValueError(f"headline: {self.headline!r} is not one of the metrics")
        return self

    @property
    def result(self) -> Pair:
        """The headline metric of both."""
        return self.metrics[self.headline]


class PrintedVerification(Verification):
    """A verification as --json prints it: with the keys that version 1 had, which readers of JSON rely on."""

    keras_top1: float | None = Field(description="0 to 1; null for another task than classification")
    tflite_top1: float | None = Field(description="0 to 1; null for another task than classification")

    @classmethod
    def of(cls, verification: Verification) -> "PrintedVerification":
        """The same verification."""
        top1 = verification.metrics.get("top-1")
        former = {"keras_top1": top1 and top1.keras, "tflite_top1": top1 and top1.tflite}
        return cls.model_validate({**verification.model_dump(), **former})


class Operator(BaseModel):
    """One operator of a .tflite file, batch 1; of a loop's body for one step."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    index: int
    name: str = Field(description="builtin name (CONV_2D) or custom code (LceBconv2d)")
    layer: str = Field(description="the tensor name that the converter gave its output")
    binary: bool = Field(description="works on bit-packed tensors")
    output_shape: list[int]
    output_type: str
    binary_macs: int
    float_macs: int
    weight_bytes: int
    output_bytes: int
    subgraph: int = Field(0, description="whose operator it is: 0 is the main graph, others are in loops and branches")
    called_as: str = Field(
        "", description="of another subgraph: whose it is and how often it runs, such as body of WHILE 3, per step"
    )


class Operators(Record):
    """The operator table of a .tflite file."""

    kind: ClassVar[str] = "operator table"
    file_bytes: int
    graph_sha256: str = Field("", description="of the file, without our metadata record")
    operators: list[Operator]
    float_layers: dict[str, str] = Field(
        default_factory=dict, description="layers declared binary that stayed float, with the reason"
    )

    def total(self, field: Literal["binary_macs", "float_macs", "weight_bytes", "output_bytes"]) -> int:
        """The sum of one column: of loops one step, of branches all."""
        return sum(getattr(operator, field) for operator in self.operators)
