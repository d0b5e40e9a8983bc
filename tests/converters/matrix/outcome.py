"""What our converter makes of a family, and whether it computes what Keras computes."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from matrix.family import Family

from mobile_bnn.converters.export import export, quantized_weights
from mobile_bnn.converters.graph import TfliteModel
from mobile_bnn.converters.lowering import Layer, lower
from mobile_bnn.converters.probe import interpreter
from mobile_bnn.legacy_keras import tf
from mobile_bnn.runtime import Interpreter

Arrays = list[np.ndarray]
# Sums in another order: a share of the largest output.
ROUNDING = 1e-5


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
        """How many operators of each kind the file has."""
        return operators_of(self.flatbuffer)

    @property
    def refusals(self) -> list[str]:
        """Why layers that asked to be binary are not."""
        return [layer.reason for layer in self.layers if layer.asked and not layer.binary]


def convert(model: Any, batch_size: int | None = 1) -> Outcome:
    """Converts a Keras model."""
    exported = export(model, batch_size)
    names = {f"{weight.layer}/{weight.name}" for weight in quantized_weights(model)}
    layers = lower(exported.graphs[0], names)
    return Outcome(exported.write(), layers)


def operators_of(flatbuffer: bytes) -> Counter[str]:
    """How many operators of each kind a file has."""
    return Counter(operator.kind for operator in TfliteModel.read(flatbuffer).graphs[0].operators)


def keras_outputs(model: Any, images: Arrays) -> Arrays:
    """What Keras computes."""
    given = [tf.constant(batch) for batch in images]
    outputs = tf.nest.flatten(model(given if len(given) > 1 else given[0], training=False))
    return [np.asarray(output) for output in outputs]


def our_outputs(flatbuffer: bytes, images: Arrays, batch_size: int | None = 1) -> Arrays:
    """What the file computes in LiteRT with our library, as many images at a time as it takes."""
    count = len(images[0])
    with Interpreter(flatbuffer) as runner:
        calls = [
            runner.predict([np.resize(batch[at : at + (batch_size or count)], (batch_size or count, *batch.shape[1:])) for batch in images])
            for at in range(0, count, batch_size or count)
        ]
    columns = zip(*[call if isinstance(call, list) else [call] for call in calls], strict=True)
    return [np.concatenate(column)[:count] for column in columns]


def lce_outputs(flatbuffer: bytes, images: Arrays) -> Arrays:
    """What the file computes in LCE's interpreter."""
    outputs = interpreter(flatbuffer).predict(images if len(images) > 1 else images[0])
    return [np.asarray(output) for output in (outputs if isinstance(outputs, list) else [outputs])]


def difference(actual: Arrays, expected: Arrays) -> float:
    """The largest difference of an output, as a share of its largest value; infinity if shapes or NaNs differ."""
    if [a.shape for a in actual] != [e.shape for e in expected]:
        return float("inf")
    return max(_difference(a, e) for a, e in zip(actual, expected, strict=True))


def _difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """Image by image: the outputs of noise times 1000 would hide those of 0."""
    shares = [np.abs(a - e).max() / max(np.abs(e).max(), 1e-6) for a, e in zip(actual, expected, strict=True)]
    largest = float(np.max(shares))
    return largest if np.isfinite(largest) else float("inf")
