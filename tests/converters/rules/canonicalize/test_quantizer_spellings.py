"""Quantizers of other libraries, as their programs spell them, after a convolution: binary, equal to float kernels."""

import numpy as np
import pytest
from litert_runs import run as run_float

from mobile_bnn.converters.source import Source
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor
from tests.converters.rules.linear_rules import filter_of, run
from tests.converters.rules.lowered import to_float

SHAPE = (1, 6, 5, 32)
# On a grid of 1/16: sums of products are exact, so values fall exactly on thresholds, and no order of sums matters.
KERNEL = tf.constant(np.random.default_rng(5).integers(-8, 9, (1, 1, 32, 32)) / 16, tf.float32)
BIAS = tf.constant(np.random.default_rng(6).integers(-16, 17, 32) / 16, tf.float32)
clip = tf.clip_by_value


def through(x: KerasTensor, q: KerasTensor) -> KerasTensor:
    return x + tf.stop_gradient(q - x)


def lsq_rounds_inside(x: KerasTensor, top: float) -> KerasTensor:
    v = x * 4
    return clip(through(v, tf.round(v)), 0.0, top) * 0.25


def qkeras_relu(x: KerasTensor, top: float) -> KerasTensor:
    m = top + 1
    p = x * m
    xq = clip(through(p, tf.round(p)) * (1 / m), 0.0, 1 - 1 / m)
    return x + tf.stop_gradient(-x + xq)


def qkeras_relu_with_its_own_surrogate(x: KerasTensor, top: float) -> KerasTensor:
    m = top + 1
    xq = clip(tf.round(x * m) * (1 / m), 0.0, 1 - 1 / m)
    xu = tf.where(x <= 1 - 1 / m, tf.nn.relu(x), tf.ones_like(x) * (1 - 1 / m))
    return xu + tf.stop_gradient(-xu + xq)


def qkeras_bits(x: KerasTensor, top: float) -> KerasTensor:
    m = (top + 1) / 2
    xq = clip(tf.round(x * m), -m, m - 1) / m
    return x + tf.stop_gradient(-x + xq)


def brevitas(x: KerasTensor, top: float) -> KerasTensor:
    y = x * 4
    y = through(y, tf.round(y))
    y = tf.where(y > top, top, y)
    return tf.where(y < 0.0, 0.0, y) * 0.25


def masked(x: KerasTensor, top: float) -> KerasTensor:
    return tf.round(clip(x, 0.0, 1.0) * top) / top * tf.cast(x > 0.25, tf.float32)


QUANTIZERS: dict[str, KerasFunction] = {
    "LSQ, rounding passed through before the clip": lsq_rounds_inside,
    "LSQ, rounding passed through after the clip": lambda x, top: (
        ((tf.round(clip(x * 4, 0.0, top)) - clip(x * 4, 0.0, top)) + clip(x * 4, 0.0, top)) * 0.25
    ),
    "QKeras quantized_relu": qkeras_relu,
    "QKeras quantized_relu, newer": qkeras_relu_with_its_own_surrogate,
    "QKeras quantized_bits": qkeras_bits,
    "Brevitas": brevitas,
    "torch.fake_quantize": lambda x, top: (clip(tf.round(x * 4) + 1, 0.0, top) - 1) * 0.25,
    "x - (x - q)": lambda x, top: x - (x - tf.round(clip(x, 0.0, 1.0) * top) / top),
    "PACT with relu6": lambda x, top: tf.round(tf.nn.relu6(x) * (top / 6)) * (6 / top),
    "hard tanh": lambda x, top: tf.round((clip(x, -1.0, 1.0) + 1) * (top / 2)) * (2 / top) - 1,
    "division that rounds down": lambda x, top: tf.math.floordiv(clip(x, 0.0, 1.0) * top + 0.5, 1.0) / top,
    "masked": masked,
}


def inputs() -> np.ndarray:
    """Multiples of 1/16, zeros of both signs and numbers far outside."""
    generator = np.random.default_rng(1)
    x = generator.integers(-32, 33, SHAPE) / np.float32(16)
    return np.where(generator.random(SHAPE) < 0.1, generator.choice(np.float32([-0.0, 512, -512]), SHAPE), x)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_a_spelling(quantizer: str, bits: int) -> None:
    top = float(2**bits - 1)

    def network(x: KerasTensor, weights: KerasTensor) -> KerasTensor:
        y = tf.nn.bias_add(tf.nn.conv2d(x, KERNEL, 1, "SAME"), BIAS)
        return tf.nn.conv2d(QUANTIZERS[quantizer](y, top), weights, 1, "SAME")

    source = to_float(network, SHAPE, filter_of("sign", (3, 3, 32, 16)))
    model, lowering = Source.of_tflite(source).lower()
    (layer,) = [layer for layer in lowering.layers if layer.declared]
    assert layer.binary, layer.reason
    expected = run_float(source, inputs())
    assert len(np.unique(np.round(expected, 3))) > 8
    np.testing.assert_allclose(run(model.write(), inputs()), expected, rtol=1e-5, atol=1e-4)
