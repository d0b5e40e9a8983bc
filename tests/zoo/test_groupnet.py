"""Group-Net: its bases and gates in plain NumPy, its size, and how it becomes binary."""

import numpy as np
from block_formulas import batch_norm, conv, halved, randomized, sign, weights_of
from calibrated import calibrated

from mobile_bnn import converters, methods
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import groupnet

METHOD = methods.create("group_net", bases="network", count=1)


def base(x, w, filters, strides, name):
    """[conv → ReLU → BN → + residual] twice; weights are mean|w| of the layer times signs; +1 around."""
    for layer in (1, 2):
        now, part = strides if layer == 1 else 1, f"{name}_{layer}"
        kernel = w[f"{part}_conv"]["kernel"]
        y = conv(sign(x), np.abs(kernel).mean() * sign(kernel), now, "symmetric", pad_value=1.0)
        y = batch_norm(np.maximum(y, 0), w[f"{part}_conv_norm"])
        x = halved(x) if now == 2 else x
        if x.shape[-1] != filters:
            x = batch_norm(conv(x, w[f"{part}_shortcut"]["kernel"]), w[f"{part}_shortcut_norm"])
        x = x + y
    return x


def model_of(shape, filters):
    tf.keras.utils.set_random_seed(3)
    image = tf.keras.layers.Input(shape)
    chains = groupnet.group([image] * 2, METHOD, shape[-1], 1, False, "a")
    return tf.keras.Model(image, groupnet.group(chains, METHOD, filters, 2, True, "b"))


def test_groups_are_the_papers():
    model = randomized(model_of((8, 8, 12), 16))
    x, w = np.random.default_rng(1).normal(size=(2, 8, 8, 12)), weights_of(model)
    chains = [base(x, w, 12, 1, f"a_base{k}") for k in (1, 2)]
    mean = sum(chains) / 2
    for k, (own, actual) in enumerate(zip(chains, model(x.astype(np.float32)), strict=True), 1):
        share = 1 / (1 + np.exp(-w[f"b_gate{k}"]["theta"]))
        expected = base(share * own + (1 - share) * mean, w, 16, 2, f"b_base{k}")
        np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max())


def test_it_becomes_binary(tmp_path):
    conversion = converters.convert(calibrated(model_of((8, 8, 32), 32)), tmp_path / "m.tflite")
    assert not conversion.float_layers
    assert len({layer.layer for layer in conversion.layers}) == 8
