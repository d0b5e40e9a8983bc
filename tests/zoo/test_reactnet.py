"""ReActNet: its counts, and its blocks in plain NumPy."""

import numpy as np
import pytest
from block_formulas import batch_norm, conv, halved, mean_sign, prelu, randomized, sign, weights_of

from mobile_bnn import methods, zoo
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import counts, reactnet
from mobile_bnn.zoo.blocks import symmetric_layers
from mobile_bnn.zoo.blocks.mobile_body import MobileOptions


def rprelu(x, w):
    """Equation 5."""
    return prelu(x + w["before"], w["slope"]) + w["after"]


def rsign_conv(x, w, strides=1):
    """RSign, weights with their mean magnitude, zeros around as PyTorch has them."""
    return conv(sign(x + w["shift"]), mean_sign(w["kernel"]), strides, "symmetric")


def block(x, w, strides, doubled, real_groups=None):
    """The authors' code, in which two 1x1 convolutions make twice the channels."""
    y = batch_norm(rsign_conv(x, w["b_1_conv"], strides), w["b_1_conv_norm"])
    y = rprelu(y + (halved(x) if strides == 2 else x), w["b_1_add_rprelu"])
    if doubled and real_groups:
        z = conv(y, w["b_2_conv"]["kernel"], groups=real_groups)
    else:
        z = rsign_conv(y, w["b_2_conv"])
    z = batch_norm(z, w["b_2_conv_norm"])
    channels = y.shape[-1]
    parts = np.split(z, 2, -1) if doubled else [z]
    joined = np.concatenate([part + y for part in parts], -1)
    assert joined.shape[-1] == (2 * channels if doubled else channels)
    return rprelu(joined, w["b_2_add_rprelu"])


@pytest.mark.parametrize(
    ("strides", "doubled", "real_groups"),
    [(1, False, None), (1, True, None), (2, True, None), (2, True, 4), (2, True, 1)],
)
def test_a_block_is_the_authors(strides, doubled, real_groups):
    tf.keras.utils.set_random_seed(3)
    method = methods.create("react_net").padding_with(0.0)
    image = tf.keras.layers.Input((8, 8, 12))
    net = reactnet.block(image, method, 24 if doubled else 12, strides, "b", real_groups)
    model = randomized(tf.keras.Model(image, net))
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 12))
    expected = block(x, weights_of(model), strides, doubled, real_groups)
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())


def test_the_stem_of_resnets_is_pytorchs():
    """7x7 with stride 2 and padding 3; a pooling with padding 1, which is of values below 0, too."""
    tf.keras.utils.set_random_seed(3)
    image = tf.keras.layers.Input((16, 16, 3))
    model = randomized(tf.keras.Model(image, symmetric_layers.stem(image)))
    x, w = np.random.default_rng(1).normal(size=(1, 16, 16, 3)), weights_of(model)
    y = batch_norm(conv(x, w["stem"]["kernel"], 2, "symmetric"), w["stem_norm"]) - 5
    padded = np.pad(y, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    expected = np.stack(
        [np.stack([padded[:, i : i + 3, j : j + 3].max((1, 2)) for j in range(0, 8, 2)], 1) for i in range(0, 8, 2)], 1
    )
    norm = model.get_layer("stem_norm")
    norm.beta.assign_sub(5 * tf.ones(64))
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "binary_gigas", "float_megas", "operations", "convolutions", "megabytes"),
    [
        ("reactnet_a", 4.82, 11.9, 0.87, 26, 7.9),
        pytest.param("reactnet_b", 4.69, 44, 1.17, 21, 8.5, marks=pytest.mark.slow),
        pytest.param("reactnet_c", 4.69, 140, 2.14, 21, 10.6, marks=pytest.mark.slow),
        ("reactnet_18", 1.68, 138, 1.64, 16, 4.2),
    ],
)
def test_the_published_costs(name, binary_gigas, float_megas, operations, convolutions, megabytes):
    found = counts.of(zoo.build(name, "react_net"))
    assert found.binary_convolutions == convolutions
    assert round(found.binary_macs / 1e9, 2) == binary_gigas
    assert round(found.float_macs / 1e6, 1 if float_megas < 20 else 0) == float_megas
    assert round(found.operations / 1e8, 2) == operations
    assert round(found.ideal_bytes / 1e6, 1) == megabytes


@pytest.mark.parametrize(("size", "option", "maps"), [(32, "auto", 32), (64, "auto", 32), (32, "2", 16), (64, "1", 64)])
def test_small_images_are_not_halved_by_the_stem(size, option, maps):
    image = tf.keras.layers.Input((size, size, 3))
    options = MobileOptions(width=0.25, stem_stride=option)
    assert maps == size // options.stride(image)
