"""The float networks that a binary one has to beat: those of `tf.keras.applications` for phones, with random weights.

Their latency does not depend on the weights; their accuracy is the published one, with its source.
"""

from dataclasses import dataclass

import numpy as np

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.names import look_up
from mobile_bnn.typing import Array, KerasModel
from mobile_bnn.zoo.batch_statistics import observe

INPUT_SHAPE = (224, 224, 3)

_TABLE = "table of models at https://keras.io/api/applications/"
_DOCSTRING = "docstring of tf.keras.applications.{name}, https://keras.io/api/applications/mobilenet/"


@dataclass(frozen=True)
class Baseline:
    """A network of `tf.keras.applications`.

    Attributes:
        title: its name there.
        top1: accuracy on the validation images of ImageNet, 0 to 1, of the weights that Keras has.
        source: who says so.
        pixels: the smallest and the largest value of its input.
    """

    title: str
    top1: float
    source: str
    pixels: tuple[float, float]

    def build(self, seed: int = 0) -> KerasModel:
        """The network with seeded random weights, whose batch norms know what goes in: an int8 form needs it."""
        keras2.tf.keras.utils.set_random_seed(seed)
        model = getattr(keras2.tf.keras.applications, self.title)(weights=None, input_shape=INPUT_SHAPE)
        observe(model, self.images(4, seed))
        return model

    def images(self, number: int, seed: int = 0) -> Array:
        """Random images in the range of its input: float32 [number, 224, 224, 3]."""
        low, high = self.pixels
        return np.random.default_rng(seed).uniform(low, high, (number, *INPUT_SHAPE)).astype(np.float32)


_BASELINES = {
    "efficientnet_b0": Baseline("EfficientNetB0", 0.771, _TABLE, (0.0, 255.0)),
    "mobilenet": Baseline("MobileNet", 0.704, _TABLE, (-1.0, 1.0)),
    "mobilenet_v2": Baseline("MobileNetV2", 0.713, _TABLE, (-1.0, 1.0)),
    "mobilenet_v3_large": Baseline("MobileNetV3Large", 0.756, _DOCSTRING.format(name="MobileNetV3Large"), (0.0, 255.0)),
    "mobilenet_v3_small": Baseline("MobileNetV3Small", 0.681, _DOCSTRING.format(name="MobileNetV3Small"), (0.0, 255.0)),
}


def names() -> list[str]:
    """The names of all baselines, sorted."""
    return sorted(_BASELINES)


def get(name: str) -> Baseline:
    """The baseline called `name`.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    return look_up("baseline", name, _BASELINES)
