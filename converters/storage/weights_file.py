"""The binary weights of a .tflite as .npz: bit-packed filters, multipliers, biases, thresholds, an index, checksums.

docs/weights.md describes the layout. Needs no TensorFlow.
"""

import io
import math
import re
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mobile_bnn.converters.graph.bit_packing import unpack
from mobile_bnn.converters.graph.model import Operator
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.files import write_bytes
from mobile_bnn.records import Record
from mobile_bnn.runtime.describe import tensor_type
from mobile_bnn.typing import Array, JsonObject
from mobile_bnn.wording import plural

_INDEX = "index"
_ROLES = ("filter", "multiplier", "bias", "threshold")
_PADDINGS = dict(enumerate(("same", "valid")))
_ACTIVATIONS = dict(enumerate(("none", "relu", "relu_n1_to_1", "relu6")))
# Where converters leave the name of a Keras layer: before its weight's, or of the operation that it traced.
_LAYER = re.compile(r"(?:^|[/;])([^/;]+)/(?:(?:depthwise_|pointwise_)?kernel|Quant\w+|MatMul|BiasAdd)\d*(?=$|[/;])")


class StoredArray(BaseModel):
    """One array of the .npz: its key, its shape, its dtype, the SHA-256 of its bytes in C order, little-endian."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: str
    shape: list[int]
    dtype: str
    sha256: str


class BinaryLayer(BaseModel):
    """One LceBconv2d of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(
        description="before its arrays' keys: the Keras layer, else operator_ and its index; in a loop or a branch "
        "after subgraph_, its number and a slash"
    )
    layer: str = Field(description="the Keras layer, empty if the file does not tell it")
    operator: int = Field(description="index of the operator in its subgraph")
    subgraph: int = Field(0, description="whose operator it is: 0 is the main graph, others are in loops and branches")
    output_name: str = Field(description="of the operator's output tensor")
    channels_in: int
    channels_out: int
    kernel_size: tuple[int, int] = Field(description="height, width")
    groups: int
    strides: tuple[int, int]
    dilations: tuple[int, int]
    padding: Literal["same", "valid"]
    pad_value: int = Field(description="what the input is outside of the map: 0 or 1; of no meaning for valid")
    activation: str = Field(description="between the integer sums and the multiplier")
    output_type: str = Field(description="float32, int8, or int32 for bit-packed signs")
    output_scale: float | None = Field(None, description="of an int8 output")
    output_zero_point: int | None = Field(None, description="of an int8 output")
    arrays: dict[str, StoredArray] = Field(description="filter, and multiplier and bias or threshold")


class WeightsIndex(Record):
    """What the .npz holds, and what it was made from."""

    kind: ClassVar[str] = "weights index"
    file: str = Field(description="name of the .tflite")
    file_bytes: int
    file_sha256: str
    layers: list[BinaryLayer]


@dataclass(frozen=True)
class Weights:
    """The binary weights of a file.

    Attributes:
        index: what they are.
        arrays: by the keys that the index names.
    """

    index: WeightsIndex
    arrays: dict[str, Array]

    def signs(self, layer: BinaryLayer) -> Array:
        """The filter as int8 of -1 and 1, [channels_out, height, width, channels_in / groups]."""
        packed = self.arrays[layer.arrays["filter"].key]
        bits = unpack(packed, layer.channels_in // layer.groups)
        return np.where(bits, np.int8(-1), np.int8(1))


def collect_weights(path: Path | str) -> Weights:
    """Reads the binary weights of a .tflite.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: it is not a sound .tflite, or has no binary convolution.
    """
    path = Path(path)
    model, content = TfliteModel.read(path), path.read_bytes()
    layers: list[BinaryLayer] = []
    arrays: dict[str, Array] = {}
    for subgraph, graph in enumerate(model.graphs):
        for number, operator in enumerate(graph.operators):
            if operator.op_type == "LceBconv2d":
                layer, own = _layer(operator, number, subgraph, {layer.name for layer in layers})
                layers.append(layer)
                arrays |= own
    if not layers:
        raise MobileBnnError(f"{path} has no binary convolution", why="no operator of it is an LceBconv2d")
    digest = sha256(content).hexdigest()
    return Weights(WeightsIndex(file=path.name, file_bytes=len(content), file_sha256=digest, layers=layers), arrays)


def write_weights(path: Path | str, weights: Weights) -> None:
    """Writes weights to an .npz, atomically and uncompressed."""
    index = np.frombuffer(weights.index.model_dump_json().encode("utf-8"), np.uint8)
    # In memory first: on a full disk a zip file that cannot be ended complains once more when it is collected.
    content = io.BytesIO()
    np.savez(content, **{_INDEX: index, **weights.arrays})
    write_bytes(Path(path), content.getvalue())


def read_weights(path: Path | str) -> Weights:
    """Reads an .npz that `write_weights` wrote, and compares every array with its checksum.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: it is not such a file, or an array is not what the index says.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no file of weights {path}")
    try:
        arrays = _members(path)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise MobileBnnError(f"{path} is not an .npz file of weights", why=first_line(error)) from error
    if _INDEX not in arrays:
        raise MobileBnnError(f"{path} is not an .npz file of weights", why="it has no index")
    index = WeightsIndex.parse(arrays.pop(_INDEX).tobytes(), f"the index of {path} is")
    stored = [array for layer in index.layers for array in layer.arrays.values()]
    for entry in stored:
        if entry.key not in arrays or _stored(entry.key, arrays[entry.key]) != entry:
            raise MobileBnnError(f"{entry.key} in {path} is not what its checksum says", cure="Export the weights anew")
    return Weights(index, {entry.key: arrays[entry.key] for entry in stored})


def _layer(operator: Operator, number: int, subgraph: int, taken: set[str]) -> tuple[BinaryLayer, dict[str, Array]]:
    values = {role: _values(operator, at, number) for at, role in enumerate(_ROLES, 1)}
    layer = _layer_name(operator)
    within = f"subgraph_{subgraph}/" if subgraph else ""
    name = _unused(within + (layer or f"operator_{number}"), taken)
    arrays = {f"{name}/{role}": array for role, array in values.items() if array is not None}
    try:
        found = BinaryLayer(
            name=name,
            layer=layer,
            operator=number,
            subgraph=subgraph,
            output_name=operator.output.name,
            output_type=tensor_type(operator.output.table),
            arrays={key.rpartition("/")[2]: _stored(key, array) for key, array in arrays.items()},
            **_geometry(operator, values["filter"]),
            **_output_quantization(operator),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise MobileBnnError(f"operator {number} is a malformed LceBconv2d", why=first_line(error)) from error
    return found, arrays


def _geometry(operator: Operator, filters: Array | None) -> JsonObject:
    data, options = operator.inputs[0], operator.custom_options
    if data is None or filters is None or filters.ndim != 4 or filters.dtype != np.int32:
        raise ValueError("it has no constant filter of 4 dimensions")
    words, channels = filters.shape[3], options["channels_in"]
    if not words or not isinstance(channels, int) or data.shape[-1] != -(-channels // 32) or data.shape[-1] % words:
        raise ValueError(f"its input's {data.shape[-1]} words are not those of its channels and groups")
    return {
        "channels_in": channels,
        "channels_out": filters.shape[0],
        "kernel_size": filters.shape[1:3],
        "groups": data.shape[-1] // words,
        "strides": (options["stride_height"], options["stride_width"]),
        "dilations": (options["dilation_height_factor"], options["dilation_width_factor"]),
        "padding": _PADDINGS[options["padding"]],
        "pad_value": options["pad_values"],
        "activation": _ACTIVATIONS[options["fused_activation_function"]],
    }


def _values(operator: Operator, at: int, number: int) -> Array | None:
    if at >= len(operator.inputs):
        raise MobileBnnError(f"operator {number} has {plural(len(operator.inputs), 'input')}, an LceBconv2d has 5")
    tensor = operator.inputs[at]
    return None if tensor is None else tensor.values


def _output_quantization(operator: Operator) -> JsonObject:
    quantization = operator.output.table.quantization
    if operator.output.dtype != np.int8 or quantization is None:
        return {}
    return {"output_scale": float(quantization.scale[0]), "output_zero_point": int(quantization.zeroPoint[0])}


def _layer_name(operator: Operator) -> str:
    """The Keras layer, from the name of the filter or the output; empty if neither has one, or several."""
    for tensor in (operator.inputs[1], operator.output):
        found = set(_LAYER.findall("" if tensor is None else tensor.name))
        if len(found) == 1:
            return str(found.pop())
    return ""


def _unused(name: str, taken: set[str]) -> str:
    """The name, numbered from 2 if it is taken: a sum of binary convolutions has several of one layer."""
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 2))]
    return next(candidate for candidate in names if candidate not in taken)


def _stored(key: str, array: Array) -> StoredArray:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return StoredArray(
        key=key, shape=list(array.shape), dtype=array.dtype.name, sha256=sha256(little.tobytes()).hexdigest()
    )


def _members(path: Path) -> dict[str, Array]:
    """The arrays of an .npz. None is larger than the file: a header may promise anything."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{member.filename} is compressed")
        return {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}


def _array(content: bytes) -> Array:
    stream = io.BytesIO(content)
    form: Any = np.lib.format  # has no types
    if form.read_magic(stream) != (1, 0):
        raise ValueError("an array has another version than 1.0")
    shape, fortran, dtype = form.read_array_header_1_0(stream)
    data = content[stream.tell() :]
    if fortran or dtype.hasobject or dtype.itemsize * math.prod(shape) != len(data):
        raise ValueError("an array has not the bytes of its shape")
    return np.frombuffer(data, dtype).reshape(shape)
