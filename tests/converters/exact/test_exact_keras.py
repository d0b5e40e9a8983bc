"""Keras models of exact sums: Keras, the float file, the delegate and LCE's interpreter agree in every bit.

Each model has a branch for every pair of a kernel quantizer and an input quantizer behind it. Between them take turns a
batch norm, whose variance and epsilon add up to a power of 4, and other layers of which float32 holds every number.
"""

import os
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from mobile_bnn.converters.source import Source
from mobile_bnn.converters.verification.instrument import LceRunner
from mobile_bnn.converters.verification.runners import FileRunner, run_float_file
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasModel, KerasTensor

_SHAPE = (6, 6, 4)
_TURNS = int(os.environ.get("MBNN_EXACT_KERAS", "2"))  # with 6 of them everything meets everything
_EPSILON = 2.0**-8

INPUTS: dict[str, object] = {
    "ste_sign": "ste_sign",
    "ste_heaviside": "ste_heaviside",
    "falling": lambda x: tf.where(x >= 0, -1.0, 1.0),
    "falling strict": lambda x: tf.where(x > 0, -1.0, 1.0),
    "above": lambda x: tf.where(x > 0.5, 1.0, -1.0),
    "ternary": larq.quantizers.SteTern(threshold_value=0.5),
    "two bits": lambda x: tf.round(tf.clip_by_value(x, 0.0, 3.0)) * 0.5,
    "two numbers": lambda x: tf.where(x > -0.5, 1.5, -0.25),
    "near 0": lambda x: tf.where(tf.abs(x) < 1.0, 1.0, -1.0),
}
KERNELS: dict[str, object] = {
    "sign": "ste_sign",
    "ternary": larq.quantizers.SteTern(threshold_value=0.5),
    "two bits": lambda w: tf.clip_by_value(tf.floor(w * 2), -2.0, 1.0) + 0.5,
    "two numbers": lambda w: tf.where(w > 0, 1.0, -0.5),
}


def _batch_norm(sign: float, x: KerasTensor) -> KerasTensor:
    layer = tf.keras.layers.BatchNormalization(epsilon=_EPSILON)
    y, count = layer(x), x.shape[-1]
    generator = np.random.default_rng(count)
    variance = 4.0 ** generator.integers(-1, 2, count) - _EPSILON
    beta, mean = generator.integers(-4, 5, (2, count)) / 2
    layer.set_weights([np.full(count, sign), beta, mean, variance])
    return y


BETWEEN: dict[str, Callable[[KerasTensor], KerasTensor]] = {
    "nothing": lambda x: x,
    "batch norm": partial(_batch_norm, 2.0),
    "falling batch norm": partial(_batch_norm, -1.0),
    "relu": tf.keras.layers.ReLU(),
    "max pool": tf.keras.layers.MaxPool2D(2, 1),
    "average pool": tf.keras.layers.AveragePooling2D(2, 1),
}
_PADDINGS = ({"padding": "valid"}, {"padding": "same"}, {"padding": "same", "pad_values": 1.0})


def _model(turn: int) -> KerasModel:
    tf.keras.utils.set_random_seed(turn)
    image = tf.keras.Input(_SHAPE)
    outputs = []
    for number, (kernel, first) in enumerate(KERNELS.items()):
        for other, quantizer in INPUTS.items():
            seed = len(outputs)
            read = INPUTS[list(INPUTS)[(seed + number) % len(INPUTS)]]
            x = _convolution(image, read, first, _PADDINGS[seed % 3], f"{kernel}_{other}_1")
            x = list(BETWEEN.values())[(seed + number + turn) % len(BETWEEN)](x)
            outputs.append(_convolution(x, quantizer, "ste_sign", _PADDINGS[seed // 3 % 3], f"{kernel}_{other}_2"))
    return tf.keras.Model(image, outputs)


def _convolution(
    x: KerasTensor, quantizer: object, kernel: object, padding: dict[str, object], name: str
) -> KerasTensor:
    return larq.layers.QuantConv2D(
        5,
        2,
        input_quantizer=quantizer,
        kernel_quantizer=kernel,
        use_bias=False,
        kernel_initializer=tf.keras.initializers.RandomUniform(-1.4, 1.4),
        name=name.replace(" ", "_"),
        **padding,
    )(x)


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(_TURNS))
def test_keras_agrees_in_every_bit(turn: int) -> None:
    model = _model(turn)
    generator = np.random.default_rng(1)
    images = generator.integers(-6, 7, (4, *_SHAPE)) / 4
    images = np.where(generator.random(images.shape) < 0.5, generator.choice([0.0, -0.0, 0.5], images.shape), images)
    images = images.astype(np.float32)
    source = Source.of_keras(model)
    lowered, lowering = source.lower()
    assert not lowering.unsupported
    assert all(layer.binary for layer in lowering.layers)
    expected = [np.concatenate(parts) for parts in zip(*(model(image[None]) for image in images), strict=True)]
    binary = lowered.write()
    computed = {
        "float file": run_float_file(source.model.write(), [images]),
        "delegate": FileRunner(binary).run([images]),
        "LCE": LceRunner(binary).run([images]),
    }
    for name, outputs in computed.items():
        wrong = [
            model.output_names[n] for n, (a, b) in enumerate(zip(outputs, expected, strict=True)) if (a != b).any()
        ]
        assert not wrong, name
