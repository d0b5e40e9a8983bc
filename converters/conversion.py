"""From a Keras model to a binary `.tflite`, checked against Keras before it is written."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mobile_bnn import __version__
from mobile_bnn.converters import backends
from mobile_bnn.converters.compare import Comparison
from mobile_bnn.converters.layers import binary_layers, flatten
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import write_bytes
from mobile_bnn.profiling import operator_table
from mobile_bnn.runs import LayerCheck, Operators
from mobile_bnn.runtime import ModelMetadata, Normalization, with_metadata

_PACKAGES = ("larq", "larq-compute-engine", "tensorflow", "tf-keras", "numpy")
_SAMPLES = 8


@dataclass(frozen=True)
class Conversion:
    """What a conversion made.

    Attributes:
        path: the file.
        operators: its operator table.
        layers: the binary layers, as compared with Keras on the samples.
        float_layers: layers that asked for binarization and stayed float, each with the reason.
    """

    path: Path
    operators: Operators
    layers: list[LayerCheck]
    float_layers: dict[str, str]


def convert(
    model: Any,
    path: Path,
    *,
    metadata: ModelMetadata | None = None,
    samples: npt.NDArray[np.float32] | None = None,
) -> Conversion:
    """Converts a Keras model with Larq layers and writes a binary `.tflite` with a metadata record.

    Args:
        model: a Keras model of one image input and one output.
        path: the file to write.
        metadata: what the file tells about itself; MACs and package versions are filled in here.
        samples: float32 [N, H, W, C] on which file and Keras are compared; random images by default.

    Raises:
        MobileBnnError: no layer is binary, the model cannot be converted, or file and Keras compute different things.
            Nothing is written then.
    """
    _check(model)
    flatbuffer = backends.to_binary(model)
    comparison = Comparison(model, flatbuffer)
    float_layers = {name: _why_float(model, name) for name in comparison.float_layers()}
    if not comparison.checks():
        reasons = "; ".join(f"{name}: {why}" for name, why in float_layers.items())
        raise MobileBnnError("no layer of the model can be made binary", why=reasons)
    comparison.add(random_images(model) if samples is None else samples[:_SAMPLES])
    if comparison.errors:
        raise MobileBnnError("the converted file does not compute what Keras computes", why=comparison.errors[0])
    write_bytes(path, flatbuffer)
    operators = operator_table(path)
    metadata = metadata or ModelMetadata(
        input_shape=tuple(model.input_shape[1:]), normalization=identity(model), binary_macs=0, float_macs=0
    )
    write_bytes(path, with_metadata(flatbuffer, complete(metadata, operators)))
    return Conversion(path, operator_table(path), comparison.checks(), float_layers)


def complete(metadata: ModelMetadata, operators: Operators) -> ModelMetadata:
    """The record with the file's MACs and the versions of the packages that made it."""
    versions = {"mobile_bnn": __version__, **{package: version(package) for package in _PACKAGES}}
    macs = {"binary_macs": operators.total("binary_macs"), "float_macs": operators.total("float_macs")}
    return metadata.model_copy(update={**macs, "versions": versions})


def identity(model: Any) -> Normalization:
    """Images as they are: for a model of which nothing is known."""
    channels = model.input_shape[-1]
    return Normalization(mean=[0.0] * channels, std=[1.0] * channels)


def random_images(model: Any) -> npt.NDArray[np.float32]:
    """A few seeded images between −1 and 1 in the shape that the model takes."""
    shape = (_SAMPLES, *model.input_shape[1:])
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def convert_float(model: Any, path: Path) -> Path:
    """Writes the same network as a float `.tflite` for stock LiteRT: the baseline of speed and size."""
    write_bytes(path, backends.to_float(model))
    return path


def _check(model: Any) -> None:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise MobileBnnError(
            f"the model has {len(model.inputs)} inputs and {len(model.outputs)} outputs",
            why="conversion takes one of each for now",
        )
    if None in model.input_shape[1:]:
        raise MobileBnnError(
            f"the model's input shape {model.input_shape[1:]} is not fixed", cure="Give it a fixed one"
        )
    if len(model.input_shape) != 4:
        raise MobileBnnError(f"the model takes {model.input_shape}, not images [batch, height, width, channels]")
    if not binary_layers(model):
        half = [layer.name for layer in flatten(model) if getattr(layer, "kernel_quantizer", None)]
        why = "no layer has both an input_quantizer and a kernel_quantizer"
        raise MobileBnnError(
            "the model has no binary layer", why=f"{why}; {', '.join(half)} only a kernel_quantizer" if half else why
        )


def _why_float(model: Any, name: str) -> str:
    """Why LCE left a layer float, as far as it can be told from the layer."""
    layer = next(layer for layer in binary_layers(model) if layer.name == name)
    kind = type(layer).__name__
    if kind != "QuantConv2D":
        return f"LCE has no binary operator for {kind}"
    values = np.unique(layer.input_quantizer(np.linspace(-2, 2, 401, dtype=np.float32)))
    if not np.array_equal(values, [-1.0, 1.0]):
        listed = ", ".join(f"{value:g}" for value in values[:4])
        return f"LCE binarizes inputs to -1 and 1 only; {layer.input_quantizer.name} gives {listed}"
    return "LCE's converter did not recognize its quantizers"
