"""A&B BNN's networks without batch norms: counts, and layers in plain NumPy."""

import numpy as np
import pytest
from block_formulas import conv, halved, randomized, sign, weights_of

from mobile_bnn import methods, zoo
from mobile_bnn.layers.add_and_bit import StandardizedConv2D
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import ab_nets, counts


def standardized(kernel):
    """(w − mean)/((std + 1e-5)·√n) of each filter."""
    n = kernel[..., 0].size
    return (kernel - kernel.mean((0, 1, 2))) / ((kernel.std((0, 1, 2)) + 1e-5) * np.sqrt(n))


def layer(x, w, strides, variance, form, name="r"):
    """α·bconv(sign(β·x + b)) + shortcut, α = ¼; b and the RPReLU of powers of two are ReActNet's form."""
    v = standardized(w[f"{name}_conv"]["kernel"])
    kernel = np.abs(v).mean((0, 1, 2)) * sign(v)
    shift = w[f"{name}_conv"].get("shift", 0.0)
    y = conv(sign(x / np.sqrt(variance) + shift), kernel, strides, "symmetric") * w[f"{name}_conv_gain"]["channel"]
    if strides == 2:
        p = w[f"{name}_shortcut"]
        x = conv(halved(x), p["gain"] * standardized(p["kernel"]))
    total = 0.25 * y + x
    if form == "bireal":
        return total
    p = w[f"{name}_add_rprelu"]
    shifted = total + p["before"]
    return np.where(shifted >= 0, shifted, 2.0 ** np.round(p["exponent"]) * shifted) + p["after"]


@pytest.mark.parametrize("form", ["bireal", "reactnet"])
@pytest.mark.parametrize("strides", [1, 2])
def test_a_residual_layer_is_the_papers(strides, form):
    tf.keras.utils.set_random_seed(3)
    method = methods.create("ab_bnn", form=form).padding_with(0.0)
    image, variance = tf.keras.layers.Input((8, 8, 12)), ab_nets.Variance()
    variance.value = 1.25
    filters = 12 if strides == 1 else 20
    net = ab_nets.residual_layer(image, method, filters, strides, variance, "r")
    assert variance.value == (1.25 if strides == 1 else 1.0) + 0.0625
    model = randomized(tf.keras.Model(image, net))
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 12))
    expected = layer(x, weights_of(model), strides, 1.25, form)
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "options", "binary_gigas", "float_megas", "convolutions", "megabytes"),
    [
        ("ab_resnet18", {"form": "bireal"}, 1.68, 138, 16, 4.2),
        pytest.param("ab_reactnet_a", {}, 4.82, 12, 26, 7.8, marks=pytest.mark.slow),
    ],
)
def test_the_published_costs(name, options, binary_gigas, float_megas, convolutions, megabytes):
    model = zoo.build(name, methods.create("ab_bnn", **options))
    found = counts.of(model)
    assert not [each for each in model.layers if isinstance(each, tf.keras.layers.BatchNormalization)]
    assert found.binary_convolutions == convolutions
    assert round(found.binary_macs / 1e9, 2) == binary_gigas
    assert round(found.float_macs / 1e6) == float_megas
    assert round(found.ideal_bytes / 1e6, 1) == megabytes


def test_a_standardized_convolution_survives_saving(tmp_path):
    image = tf.keras.layers.Input((6, 6, 3))
    net = randomized(tf.keras.Model(image, StandardizedConv2D(4, 3, use_bias=False, name="c")(image)))
    net.save(tmp_path / "m.keras")
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32)
    np.testing.assert_array_equal(tf.keras.models.load_model(tmp_path / "m.keras")(x), net(x))
