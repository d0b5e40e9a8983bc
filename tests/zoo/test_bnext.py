"""BNext: its counts, its units in plain NumPy, and how it becomes binary."""

import numpy as np
import pytest
from block_formulas import batch_norm, conv, halved, prelu, randomized, sign, weights_of
from calibrated import calibrated

from mobile_bnn import converters, methods, zoo
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import bnext, counts


def unit(u, w, strides, attention):
    """FFN and attention as in the authors' code: the mixture is of the maps, not of their means."""
    x = conv(sign(u + w["u_shift"]["shift"]), sign(w["u_conv"]["kernel"]), strides, "symmetric")
    x = prelu(batch_norm(x, w["u_conv_norm"]), w["u_prelu"]["alpha"])
    pool = halved if strides == 2 else lambda a: a
    share = np.clip(w["u_mix"]["share"], 0, 1)
    mean = (share * pool(u) + (1 - share) * x).mean((1, 2), keepdims=True)
    hidden = np.maximum(conv(mean, w["u_squeeze"]["kernel"]) + w["u_squeeze"]["bias"], 0)
    y = x / (1 + np.exp(-(conv(hidden, w["u_expand"]["kernel"]) + w["u_expand"]["bias"])))
    around = pool(u)
    if attention:
        around = pool(prelu(u, w["u_shortcut_prelu"]["alpha"]))
        y = y * around
    return batch_norm(y, w["u_gated_norm"]) + around


@pytest.mark.parametrize(
    ("size", "strides", "attention"), [(3, 1, False), (3, 2, False), (1, 1, False), (3, 1, True), (3, 2, True)]
)
def test_a_unit_is_the_authors(size, strides, attention):
    tf.keras.utils.set_random_seed(3)
    image = tf.keras.layers.Input((8, 8, 16))
    method = methods.create("bnext").padding_with(0.0)
    model = randomized(tf.keras.Model(image, bnext.unit(image, method, size, strides, attention, "u")))
    method_layer = model.get_layer("u_conv")
    method_layer.kernel_quantizer.temperature.assign(1e-8)  # the end of the training, where weights are signs
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 16))
    expected = unit(x, weights_of(model), strides, attention)
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "binary_gigas", "float_megas", "operations", "convolutions", "megabytes"),
    [
        ("bnext_t", 4.82, 13, 0.89, 31, 13.9),
        pytest.param("bnext_s", 10.8, 21, 1.90, 31, 28, marks=pytest.mark.slow),
        pytest.param("bnext_m", 20.1, 24, 3.38, 47, 49, marks=pytest.mark.slow),
        pytest.param("bnext_l", 52.2, 39, 8.54, 63, 111, marks=pytest.mark.slow),
    ],
)
def test_the_published_costs(name, binary_gigas, float_megas, operations, convolutions, megabytes):
    found = counts.of(zoo.build(name, "bnext"))
    assert found.binary_convolutions == convolutions
    assert round(found.binary_macs / 1e9, 2 if binary_gigas < 10 else 1) == binary_gigas
    assert round(found.float_macs / 1e6) == float_megas
    assert round(found.operations / 1e8, 2) == operations
    assert round(found.ideal_bytes / 1e6, 1 if megabytes < 20 else 0) == megabytes


def test_it_becomes_binary(tmp_path):
    """Of both kinds of blocks, with one of two convolutions side by side."""
    tf.keras.utils.set_random_seed(1)
    image, method = tf.keras.layers.Input((8, 8, 16)), methods.create("bnext").padding_with(0.0)
    x = bnext.block(image, method, 32, 1, 1)
    model = calibrated(tf.keras.Model(image, bnext.block(x, method, 32, 2, 2)))
    conversion = converters.convert(model, tmp_path / "m.tflite")
    assert not conversion.float_layers
    assert len(conversion.layers) == 5
