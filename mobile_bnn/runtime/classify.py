"""From an image to named classes: what `Interpreter.classify` does around `predict`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mobile_bnn.errors import UsageError
from mobile_bnn.runtime.images import Pixels, fit, fit_whole
from mobile_bnn.runtime.metadata import ModelMetadata
from mobile_bnn.typing import Array, TensorDetail

TASK = "classification"
_FOLDER = "image_folder:"  # the name of a data set whose images are all cropped, whatever their size
_CURE = "Feed predict() with inputs that you have prepared, or convert the model with mbnn, which keeps how to feed it"


@dataclass(frozen=True)
class ClassScore:
    """A class and its probability: its number, and its name, which is the number where the file has no names."""

    index: int
    label: str
    score: float


def network_input(
    image: Pixels, metadata: ModelMetadata | None, details: Sequence[TensorDetail], *, whole: bool = False
) -> Array:
    """The image as the file's input wants it: [1, height, width, channels], normalized, in the input's dtype.

    Args:
        image: uint8 [h, w], or [h, w, channels], of any size.
        metadata: of the file.
        details: of its inputs, as the runtime tells them.
        whole: resizes all of the image, whatever its proportions, as tasks do that find places in it; else its middle
            is taken.

    Raises:
        UsageError: the file does not say how to feed it, takes no image, or the image is none.
    """
    if metadata is None:
        raise UsageError("the file does not say how to feed it", why="it has no record of mobile_bnn", cure=_CURE)
    shape = [int(size) for size in details[0]["shape"]]
    if len(details) > 1 or len(shape) != 4:
        raise UsageError("the file does not take one image", why=f"its input is {shape}", cure=_CURE)
    mean, std = (np.asarray(each, np.float32) for each in (metadata.normalization.mean, metadata.normalization.std))
    folder = (metadata.dataset or "").startswith(_FOLDER)
    pixels = fit_whole(image, *shape[1:]) if whole else fit(image, *shape[1:], crop_all=folder)
    values = (pixels - mean) / std
    return _quantized(values[None].astype(np.float32), details[0])


def class_scores(output: Array, metadata: ModelMetadata | None, detail: TensorDetail, top: int) -> list[ClassScore]:
    """The most probable classes, of one output [1, classes].

    Outputs that are not a distribution are taken for logits.

    Raises:
        UsageError: the file is not a classifier, or `top` is below 1.
    """
    if top < 1:
        raise UsageError(f"{top} classes cannot be named", cure="Ask for 1 or more")
    if metadata is not None and metadata.task is not None and metadata.task.name != TASK:
        raise UsageError(f"the file is for {metadata.task.name}, not for classification", cure="Use predict()")
    values = dequantized(output, detail)
    if values.ndim != 2 or values.shape[0] != 1 or values.shape[1] == 0:
        raise UsageError(f"the file is not a classifier: its output is {list(values.shape)}", cure="Use predict()")
    probabilities = _probabilities(values[0], detail)
    order = np.argsort(-probabilities, kind="stable")[:top]
    labels = metadata.labels if metadata else []
    return [
        ClassScore(int(each), labels[each] if each < len(labels) else str(each), float(probabilities[each]))
        for each in order
    ]


def _probabilities(values: Array, detail: TensorDetail) -> Array:
    # An integer output misses 1 by up to half a step for each class; a step of 1/256 from 0 on is what softmax has.
    step = float(detail["quantization"][0]) if np.dtype(detail["dtype"]).kind != "f" else 0.0
    softmax = step == 1 / 256 and (values >= 0).all()
    if softmax or ((values >= 0).all() and abs(float(values.sum()) - 1) < 0.02):
        return values
    shifted = np.exp(values - values.max())
    return np.asarray(shifted / shifted.sum())


def _quantized(values: Array, detail: TensorDetail) -> Array:
    dtype: Any = np.dtype(detail["dtype"])
    scale, zero = detail["quantization"]
    if dtype.kind == "f":
        return values.astype(dtype)
    if not scale:
        raise UsageError(f"the file takes {dtype} and does not say how they stand for pixels", cure=_CURE)
    limits = np.iinfo(dtype)
    return np.asarray(np.round(values / scale) + zero).clip(limits.min, limits.max).astype(dtype)


def dequantized(output: Array, detail: TensorDetail) -> Array:
    """An output as the numbers that it stands for, float64; one of bytes without a scale stays as it is."""
    scale, zero = detail["quantization"]
    values = output.astype(np.float64)
    return values if output.dtype.kind == "f" or not scale else (values - zero) * scale
