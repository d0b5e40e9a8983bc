"""What our converter makes of a model, and whether a file computes what Keras computes."""

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.lowering import Layer
from mobile_bnn.converters.source import Source
from mobile_bnn.converters.verification.lce_interpreter import interpreter
from mobile_bnn.legacy_keras import tf
from mobile_bnn.runtime import Interpreter
from mobile_bnn.typing import KerasModel

Arrays = list[np.ndarray]
T = TypeVar("T")
# Sums in another order, a share of the largest output. A batch norm of a channel that hardly varies enlarges it.
ROUNDING = 5e-5


@dataclass(frozen=True)
class Outcome:
    """A file and how it came about.

    Attributes:
        flatbuffer: the file's bytes.
        layers: its linear operators, and what each of them got.
    """

    flatbuffer: bytes
    layers: list[Layer]

    @property
    def operators(self) -> Counter[str]:
        """How many operators of each kind the file has, in loops and branches too."""
        return operators_of(self.flatbuffer)

    @property
    def refusals(self) -> list[str]:
        """Why layers declared binary are not."""
        return [layer.reason for layer in self.layers if layer.declared and not layer.binary]


def convert(model: KerasModel | Source) -> Outcome:
    """Converts a Keras model or another source."""
    lowered, lowering = Source.of(model).lower()
    return Outcome(lowered.write(), lowering.every_layer)


def operators_of(flatbuffer: bytes) -> Counter[str]:
    """How many operators of each kind a file has, in all subgraphs."""
    graphs = TfliteModel.read(flatbuffer).graphs
    return Counter(operator.op_type for graph in graphs for operator in graph.operators)


def keras_outputs(model: KerasModel, images: Arrays) -> Arrays:
    """What Keras computes of each image alone: some quantizers take the mean of a batch."""
    calls = []
    for at in range(len(images[0])):
        given = [tf.constant(batch[at : at + 1]) for batch in images]
        calls.append([np.asarray(y) for y in tf.nest.flatten(model(_one_or_all(given), training=False))])
    return [np.concatenate(column) for column in zip(*calls, strict=True)]


def our_outputs(flatbuffer: bytes, images: Arrays, batch_size: int | None = 1) -> Arrays:
    """What the file computes in LiteRT with our library, as many images at a time as it takes."""
    count = len(images[0])
    size = batch_size or count
    with Interpreter(flatbuffer) as runner:
        calls = []
        for at in range(0, count, size):
            given = [np.resize(batch[at : at + size], (size, *batch.shape[1:])) for batch in images]
            calls.append(_list(runner.predict(given)))
    return [np.concatenate(column)[:count] for column in zip(*calls, strict=True)]


def lce_outputs(flatbuffer: bytes, images: Arrays) -> Arrays:
    """What the file computes in LCE's interpreter, which takes one image at a time."""
    return [np.asarray(output) for output in _list(interpreter(flatbuffer).predict(_one_or_all(images)))]


def _one_or_all(arrays: list[T]) -> list[T] | T:
    return arrays if len(arrays) > 1 else arrays[0]


def _list(outputs: list[T] | T) -> list[T]:
    return outputs if isinstance(outputs, list) else [outputs]


def difference(actual: Arrays, expected: Arrays) -> float:
    """The largest difference of an output, as a share of the largest ones; infinity for other shapes or NaN."""
    return float(per_image(actual, expected).max())


def per_image(actual: Arrays, expected: Arrays) -> np.ndarray:
    """The same for each image: [N].

    Image by image, or the outputs of large numbers would hide those of small ones. What is nothing but rounding, as
    the outputs of an image of zeros may be, is compared with the outputs of the first image, or with 0.1.
    """
    if [a.shape for a in actual] != [e.shape for e in expected]:
        return np.full(len(expected[0]), np.inf)
    shares = [_largest(a - e) / _scale(e) for a, e in zip(actual, expected, strict=True)]
    return np.nan_to_num(np.max(shares, 0), nan=np.inf)


def _largest(array: np.ndarray) -> np.ndarray:
    return np.abs(array).reshape(len(array), -1).max(1, initial=0)


def _scale(expected: np.ndarray) -> np.ndarray:
    largest = _largest(expected)
    return np.maximum(largest, max(largest[0], 0.1))


def share_wrong(actual: Arrays, expected: Arrays) -> float:
    """The share of outputs that rounding does not explain."""
    if [a.shape for a in actual] != [e.shape for e in expected]:
        return 1.0
    wrong = [
        ~((np.abs(a - e).reshape(len(e), -1) <= 2 * ROUNDING * _scale(e)[:, None]) | _same(a, e).reshape(len(e), -1))
        for a, e in zip(actual, expected, strict=True)
    ]
    return float(np.mean(np.concatenate([part.reshape(-1) for part in wrong])))


def _same(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Also where both are infinite, or no number."""
    return (actual == expected) | (np.isnan(actual) & np.isnan(expected))
