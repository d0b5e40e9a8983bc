"""A binary network that was trained on real images, lowered by our rules: its accuracy is worth comparing."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mobile_bnn.converters.graph.tflite import TfliteModel


@dataclass(frozen=True)
class Trained:
    """The file, images that it was trained on, and others with their labels."""

    binary: TfliteModel
    seen: np.ndarray
    images: np.ndarray
    labels: np.ndarray

    def accuracy(self, outputs: Any) -> float:
        return float(np.mean(np.asarray(outputs).argmax(-1) == self.labels))


@cache
def digits() -> Trained:
    """Two binary convolutions between float layers, on the embedded digits; training takes some seconds."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    from mobile_bnn.converters.keras.export import export
    from mobile_bnn.converters.lowering import lower
    from mobile_bnn.legacy_keras import tf

    tf.keras.utils.set_random_seed(0)
    pixels, labels = load_digits(return_X_y=True)
    images = (pixels.reshape(-1, 8, 8, 1) / 8 - 1).astype(np.float32)
    seen, unseen, seen_labels, unseen_labels = train_test_split(images, labels, test_size=400, random_state=0)
    model = _network()
    model.compile(tf.keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    model.fit(seen, seen_labels, batch_size=64, epochs=8, verbose=0)
    binary = export(model)
    lower(binary.graphs[0])
    return Trained(binary, seen, unseen, unseen_labels)


def _network() -> Any:
    from mobile_bnn.legacy_keras import larq, tf

    layers = tf.keras.layers
    binary = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 1), name="image"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv1"),
            layers.BatchNormalization(name="norm1"),
            larq.layers.QuantConv2D(64, 3, padding="same", pad_values=1.0, use_bias=False, name="conv2", **binary),
            layers.MaxPooling2D(name="pool2"),
            layers.BatchNormalization(name="norm2"),
            larq.layers.QuantConv2D(64, 3, padding="same", pad_values=1.0, use_bias=False, name="conv3", **binary),
            layers.BatchNormalization(name="norm3"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, activation="relu", name="dense1"),
            layers.Dense(10, activation="softmax", name="dense2"),
        ],
        name="trained",
    )
