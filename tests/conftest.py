"""One tiny network for every test: as a Keras model, as a binary .tflite (LCE), as a float .tflite (stock LiteRT)."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

pytest_plugins = [
    f"tests.support.{part}"
    for part in ("shared", "alone", "devices", "memory", "order", "processes", "runs", "workers")
]

# Where a failure must be the fault of the change (continuous integration), every run tries the same examples.
settings.register_profile("same_examples", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def tiny_model() -> Any:
    """A Keras model with two binary convolutions: (8, 8, 32) float32 to 10 classes, seeded, batch norms not neutral."""
    from mobile_bnn.legacy_keras import larq, tf

    tf.keras.utils.set_random_seed(7)
    binary = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "padding": "same", "pad_values": 1.0}
    model = tf.keras.Sequential(  # named, or its tensors would depend on what was built before
        [
            tf.keras.layers.Input((8, 8, 32), name="image"),
            larq.layers.QuantConv2D(64, 3, use_bias=False, name="conv_1", **binary),
            tf.keras.layers.BatchNormalization(scale=False, name="norm_1"),
            larq.layers.QuantConv2D(32, 3, use_bias=False, name="conv_2", **binary),
            tf.keras.layers.GlobalAveragePooling2D(),
            tf.keras.layers.Dense(10, activation="softmax", name="classes"),
        ],
        name="tiny",
    )
    norm = model.get_layer("norm_1")
    generator = np.random.default_rng(7)
    norm.set_weights([generator.normal(size=64), generator.normal(size=64) * 8, generator.uniform(100, 300, size=64)])
    return model


@pytest.fixture(scope="session")
def binary_tflite(tiny_model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model converted by LCE: LceQuantize, two LceBconv2d, then float operators."""
    import larq_compute_engine as lce

    path = tmp_path_factory.mktemp("binary") / "model.tflite"
    path.write_bytes(lce.convert_keras_model(tiny_model))
    return path


@pytest.fixture(scope="session")
def float_tflite(tiny_model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model converted by TensorFlow's own converter: builtin float operators only."""
    from mobile_bnn.legacy_keras import tf

    path = tmp_path_factory.mktemp("float") / "model_float.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(tiny_model).convert())
    return path
