"""A task from outside, as a user's package would bring it: the parity of every pixel of small random images.

It registers itself and its data set, has targets that move with their images, an output for every pixel, and a network
with two shapes of features; nothing in mobile_bnn knows of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from mobile_bnn import data, tasks
from mobile_bnn import legacy_keras as keras2
from mobile_bnn.data.augment import Augment, pad_crop_flip
from mobile_bnn.data.info import Augmentation
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Classifier, Features, TrainingTask

SIZE = 8


@data.register("parity_tiles")
def read(seed: int, validation_fraction: float | None, image_size: int | None) -> data.Source:
    """Images whose pixels are even or odd numbers, dark ones even, and the parity of each as its target."""
    rng = np.random.default_rng(seed)

    def split(count: int, augmentation: Augmentation | None = None) -> data.InMemory:
        parity = rng.integers(0, 2, (count, SIZE, SIZE))
        pixels = np.where(parity, 200, 20) + 2 * rng.integers(0, 25, parity.shape) + parity
        return data.InMemory(pixels[..., np.newaxis].astype(np.uint8), parity.astype(np.int64), augmentation)

    return data.Source(split(640, Augmentation(1, flip=True)), split(64), split(64), ("even", "odd"), "made here")


@dataclass(frozen=True)
class MovingTargets(Augment):
    """Crops and flips a target along with its image."""

    def shift(self, images, targets, draws, *, pad, flip):
        """The zeros around an image are even."""
        moved = pad_crop_flip(targets[..., None], draws, pad=pad, flip=flip)[..., 0]
        return pad_crop_flip(images, draws, pad=pad, flip=flip), moved


class PixelTraining(TrainingTask):
    """A sigmoid for every pixel."""

    augment = MovingTargets()

    def outputs(self, features: Features, method: Method, num_classes: int, classifier: Classifier | None):
        """float32 [batch, height, width], from the map of stride 1 and the upsampled one of stride 2."""
        layers = keras2.layers
        deeper = layers.UpSampling2D(2, name="upsampled")(features[2])
        x = layers.Concatenate(name="maps")([features[1], deeper])
        x = layers.BatchNormalization(name="head_norm")(method.conv2d(x, 16, 3, name="head"))
        logits = layers.Conv2D(1, 1, name="logits")(layers.Concatenate(name="head_maps")([x, features[1]]))
        x = layers.Activation("sigmoid", name="odd")(logits)
        return layers.Reshape(x.shape[1:3], name="parity")(x)

    def logits(self, model):
        """What the sigmoid reads."""
        return model.get_layer("odd").input

    def encode(self, targets, num_classes: int):
        """float32 0 or 1."""
        return keras2.tf.cast(targets, keras2.tf.float32)

    def losses(self):
        """Cross-entropy of every pixel."""
        return keras2.tf.keras.losses.BinaryCrossentropy()

    def metrics(self):
        """The share of pixels that are right."""
        return [keras2.tf.keras.metrics.BinaryAccuracy(name="pixel_accuracy")]


@tasks.register
class PixelParity(tasks.Task):
    """The parity of every pixel."""

    name = "pixel_parity"
    headline = "pixel accuracy"
    training_metric = "pixel_accuracy"

    threshold: float = Field(0.5, gt=0, lt=1, description="probability from which a pixel counts as odd")

    def decode(self, outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """bool [height, width] for each image."""
        return list(np.asarray(outputs[0]) >= self.threshold)

    def evaluate(self, predictions: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> dict[str, float]:
        """The share of pixels that are right, and of images that are right as a whole."""
        right = np.asarray(predictions) == np.asarray(targets).astype(bool)
        return {self.headline: float(right.mean()), "whole images": float(right.all((1, 2)).mean())}

    def decoding(self) -> dict[str, float]:
        """The threshold."""
        return {"threshold": self.threshold}

    def training(self) -> TrainingTask:
        """See `PixelTraining`."""
        return PixelTraining()
