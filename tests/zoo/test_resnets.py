"""ResNets, VGGs and NIN of the survey: counts, and blocks in plain NumPy."""

import numpy as np
import pytest
from block_formulas import batch_norm, conv, halved, randomized, sign, weights_of

from mobile_bnn import methods, zoo
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import counts
from mobile_bnn.zoo.blocks import symmetric_layers
from mobile_bnn.zoo.blocks.shortcut_stages import binary_stages


def ada_bin_conv(x, w, strides):
    """AdaBin's code: α(sign + β) for activations, mean ± deviation for weights, 0 around."""
    alpha, beta = w["alpha"], w["beta"]
    kernel = w["kernel"]
    mean, deviation = kernel.mean((0, 1, 2)), kernel.std((0, 1, 2))
    values = deviation * sign((kernel - mean) / deviation) + mean
    return conv(alpha * (sign((x - beta) / alpha) + beta), values, strides, "symmetric")


def maxout(x, w):
    """p⁺·relu(x) − p⁻·relu(−x)."""
    return w["above"] * np.maximum(x, 0) - w["below"] * np.maximum(-x, 0)


def test_adabins_stages_are_the_authors():
    tf.keras.utils.set_random_seed(3)
    method = methods.create("ada_bin", values="code", maxout="sum").padding_with(0.0)
    image = tf.keras.layers.Input((8, 8, 8))
    branch = symmetric_layers.binary_branch
    features = binary_stages(image, method, (8, 16), 1, 1, branch=branch, epsilon=1e-5)
    model = randomized(tf.keras.Model(image, features[2]))
    x, w = np.random.default_rng(1).normal(size=(2, 8, 8, 8)), weights_of(model)
    y = batch_norm(ada_bin_conv(x, w["stage1_1_conv"], 1), w["stage1_1_conv_norm"])
    y = maxout(x + y, w["stage1_1_add_maxout"])
    around = batch_norm(conv(halved(y), w["stage2_1_shortcut"]["kernel"]), w["stage2_1_shortcut_norm"])
    z = batch_norm(ada_bin_conv(y, w["stage2_1_conv"], 2), w["stage2_1_conv_norm"])
    expected = maxout(around + z, w["stage2_1_add_maxout"])
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())


def test_adabins_values_of_the_paper_are_others():
    x = np.array([-2.0, 0.4, 0.6, 2.0], np.float32)
    for values, expected in (("paper", [-1.5, -1.5, 2.5, 2.5]), ("code", [-1.0, -1.0, 3.0, 3.0])):
        quantizer = methods.create("ada_bin", values=values).input_quantizer()
        quantizer.build((4,))
        quantizer.set_weights([2.0, 0.5])
        np.testing.assert_array_equal(quantizer(x), expected)


@pytest.mark.parametrize(
    ("name", "method", "binary_gigas", "float_megas", "convolutions", "megabytes"),
    [
        ("adabin_resnet18", "ada_bin", 1.68, 138, 16, 4.2),
        pytest.param("resnet18", "bi_real", 1.68, 138, 16, 4.2, marks=pytest.mark.slow),
        ("birealnet34", "bi_real", 3.53, 138, 32, 5.5),
    ],
)
def test_the_published_costs(name, method, binary_gigas, float_megas, convolutions, megabytes):
    found = counts.of(zoo.build(name, method))
    assert found.binary_convolutions == convolutions
    assert round(found.binary_macs / 1e9, 2) == binary_gigas
    assert round(found.float_macs / 1e6) == float_megas
    assert round(found.ideal_bytes / 1e6, 1) == megabytes


def test_small_images_keep_their_size_in_the_stem():
    image = tf.keras.layers.Input((32, 32, 3))
    for stem, size in (("auto", 32), ("large", 8)):
        options = zoo.network("resnet18", {"stem": stem})
        features = zoo.get("resnet18").features(methods.create("bnn"), image, options)
        assert features[min(features)].shape[1] == size


def chain(x, w, filters, pooled):
    """VGG: the first convolution of the image, then signs of what batch norms give; a ReLU ends it."""
    for index in range(1, filters + 1):
        name = f"conv{index}"
        kernel = w[name]["kernel"]
        x = conv(x, kernel) if index == 1 else conv(sign(x), sign(kernel))
        if index in pooled:
            n, h, width, c = x.shape
            x = x.reshape(n, h // 2, 2, width // 2, 2, c).max((2, 4))
        x = batch_norm(x, w[f"{name}_norm"])
    return np.maximum(x, 0)


def test_vgg_small_is_a_chain_with_one_dense_layer():
    tf.keras.utils.set_random_seed(3)
    model = randomized(zoo.build("vgg_small", "bnn", (8, 8, 3), 4, network={"width": 0.0625}))
    x, w = np.random.default_rng(1).normal(size=(2, 8, 8, 3)), weights_of(model)
    y = chain(x, w, 6, (2, 4, 6)).reshape(2, -1)
    expected = y @ w["logits"]["kernel"] + w["logits"]["bias"]
    actual = tf.keras.Model(model.input, model.get_layer("logits").output)(x.astype(np.float32))
    np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("name", "parameters", "binary"), [("vgg_small", 4_663_690, 5), ("vgg11", 9_233_866, 7)])
def test_which_layers_of_vggs_are_float(name, parameters, binary):
    """VGG-Small has 4.6 million weights in six convolutions: 3·3·(3·128 + 128² + 128·256 + 256² + 256·512 + 512²)."""
    model = zoo.build(name, "bnn")
    found = counts.of(model)
    assert (found.parameters, found.binary_convolutions) == (parameters, binary)
    assert set(found.float_macs_by_layer) == {"conv1", "logits"}


def test_nin_is_binary_between_a_batch_norm_and_a_relu():
    tf.keras.utils.set_random_seed(3)
    model = randomized(zoo.build("nin", "bnn", (8, 8, 3), 4))
    x, w = np.random.default_rng(1).normal(size=(1, 8, 8, 3)), weights_of(model)
    y = np.maximum(batch_norm(conv(x, w["stem"]["kernel"]), w["stem_norm"]), 0)
    for index in (1, 2):
        name = f"stage1_{index}"
        y = np.maximum(conv(sign(batch_norm(y, w[f"{name}_norm"])), sign(w[f"{name}_conv"]["kernel"])), 0)
    actual = tf.keras.Model(model.input, model.get_layer("stage1_2_relu").output)(x.astype(np.float32))
    np.testing.assert_allclose(actual, y, atol=1e-4 * np.abs(y).max())
