"""The record that travels inside a .tflite file: what the model is and how to feed it."""

import base64
import binascii
import math
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from ai_edge_litert.schema_py_generated import BufferT, MetadataT, ModelT
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticSerializationError

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.records import Pair, Record, top1_as_metrics
from mobile_bnn.runtime.describe import text
from mobile_bnn.runtime.flatbuffer import pack, read_model
from mobile_bnn.typing import JsonObject

ENTRY = "mobile_bnn"
MOST_REFERENCE_SAMPLES = 16
MOST_REFERENCE_BYTES = 1 << 16  # of all reference outputs: a record must not weigh more than a small model


class Normalization(BaseModel):
    """What the network wants to be fed: (pixel - mean) / std, with pixels from 0 to 255, per channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mean: list[float]
    std: list[float]

    @model_validator(mode="after")
    def _usable(self) -> "Normalization":
        if len(self.mean) != len(self.std) or not self.mean:
            raise ValueError("mean and std must have one number for each channel")
        if not all(math.isfinite(number) for number in self.mean + self.std) or min(self.std) <= 0:
            raise ValueError("mean and std must be finite and std must be above 0")
        return self


class Accuracy(BaseModel):
    """The task's metrics of the Keras model and of the file on one split of a data set."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dataset: str
    split: str
    samples: int
    headline: str = Field(description="the metric that the task is judged by, such as top-1")
    metrics: dict[str, Pair] = Field(description="of the task, by name")


class TaskSpec(BaseModel):
    """How to read the outputs: which task they are of, and its options."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(description="a name of mobile_bnn.tasks")
    options: dict[str, JsonValue] = Field(default_factory=dict, description="that decoding depends on")


class Reference(BaseModel):
    """What the file's maker saw it compute for inputs that anyone can generate, one inference for each sample.

    `runtime.reference_inputs` defines the inputs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    samples: int = Field(ge=1, le=MOST_REFERENCE_SAMPLES, description="inferences")
    outputs: list[str] = Field(
        min_length=1,
        description="for each output of the main graph, in its order: base64 of its bytes, little-endian, all samples "
        "one after the other; at most 65,536 bytes in all",
    )

    @model_validator(mode="after")
    def _readable(self) -> "Reference":
        sizes = [len(content) for content in self.contents()]
        if 0 in sizes or any(size % self.samples for size in sizes):
            raise ValueError(f"outputs of {', '.join(map(str, sizes))} bytes are not those of {self.samples} samples")
        if sum(sizes) > MOST_REFERENCE_BYTES:
            raise ValueError(f"outputs have {sum(sizes)} bytes, more than {MOST_REFERENCE_BYTES}")
        return self

    @classmethod
    def of(cls, outputs: Sequence[bytes], samples: int) -> "Reference":
        """A record of the bytes of each output, all samples one after the other."""
        return cls(samples=samples, outputs=[base64.b64encode(content).decode("ascii") for content in outputs])

    def contents(self) -> list[bytes]:
        """The bytes of each output, all samples one after the other."""
        return [_decoded(output) for output in self.outputs]


def _decoded(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"an output is not base64: {first_line(error)}") from error
    if base64.b64encode(content).decode("ascii") != text:  # Java and Python take different liberties
        raise ValueError("an output is not base64 as it is written")
    return content


class ModelMetadata(Record):
    """Everything that a user of the file alone needs; fields that a model from elsewhere lacks are None or empty."""

    kind: ClassVar[str] = "model metadata"
    schema_version: Literal[3] = 3  # type: ignore[assignment]
    task: TaskSpec | None = None
    zoo_model: str | None = None
    method: str | None = None
    dataset: str | None = None
    labels: list[str] = Field(default_factory=list, description="class names in the order of the outputs")
    input_shape: tuple[int, ...] = Field(min_length=1, description="of one input: height, width, channels of an image")
    normalization: Normalization
    binary_macs: int = Field(ge=0)
    float_macs: int = Field(ge=0)
    accuracy: Accuracy | None = None
    versions: dict[str, str] = Field(default_factory=dict, description="packages that made the file")
    source_sha256: str = Field("", description="of the file that it was converted from")
    reference: Reference | None = Field(None, description="by which a device tells whether it computes the same bits")

    @classmethod
    def upgrade(cls, fields: JsonObject, version: int) -> JsonObject:
        """Version 1 had no task, and of accuracies the top-1 alone; version 2 had no reference."""
        if version > 1:
            return fields
        accuracy = fields.get("accuracy")
        return {**fields, "accuracy": top1_as_metrics(accuracy)} if accuracy else fields


def read_metadata(model: ModelT | bytes | Path | str) -> ModelMetadata | None:
    """The record inside a .tflite file, or None if it has none.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: the file or the record in it is malformed, or the record is of another version.
    """
    tree = model if isinstance(model, ModelT) else read_model(model)
    for entry in tree.metadata or []:
        if text(entry.name) == ENTRY:
            data = tree.buffers[entry.buffer].data
            content = b"" if data is None else bytes(data)
            return ModelMetadata.parse(content, "the mobile_bnn entry of the .tflite file is")
    return None


def with_metadata(flatbuffer: bytes, metadata: ModelMetadata) -> bytes:
    """The same .tflite file with this record inside; replaces an older record, keeps everything else.

    Raises:
        MobileBnnError: `flatbuffer` is malformed, or a text of the record is none that JSON can hold.
    """
    model = read_model(flatbuffer)
    content = BufferT(data=np.frombuffer(_json(metadata), np.uint8))
    used_by_tensors = {tensor.buffer for subgraph in model.subgraphs for tensor in subgraph.tensors}
    for entry in model.metadata:
        # A file from elsewhere may let a tensor share the entry's buffer: then that one must stay as it is.
        if text(entry.name) == ENTRY and entry.buffer not in used_by_tensors:
            model.buffers[entry.buffer] = content
            return pack(model)
    model.metadata = [entry for entry in model.metadata if text(entry.name) != ENTRY]
    model.metadata.append(MetadataT(name=ENTRY, buffer=len(model.buffers)))
    model.buffers.append(content)
    return pack(model)


def _json(metadata: ModelMetadata) -> bytes:
    try:
        return metadata.model_dump_json().encode("utf-8")
    except PydanticSerializationError as error:  # a label may be a file's name, whose bytes are no text
        raise MobileBnnError("the metadata record cannot be written as JSON", why=first_line(error)) from error
