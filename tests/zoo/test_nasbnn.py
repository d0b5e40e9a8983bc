"""NAS-BNN: the costs of its search space, its block in plain NumPy, and what does not fit together."""

import numpy as np
import pytest
from block_formulas import batch_norm, conv, halved, mean_sign, prelu, randomized, sign, weights_of
from calibrated import calibrated

from mobile_bnn import converters, methods, zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import counts, nasbnn


def rprelu(x, w):
    """ReActNet's equation 5."""
    return prelu(x + w["before"], w["slope"]) + w["after"]


def binary(x, w, strides=1, groups=1):
    """RSign, grouped filters with their mean magnitude, zeros around as PyTorch has them."""
    return conv(sign(x + w["shift"]), mean_sign(w["kernel"]), strides, "symmetric", groups=groups)


@pytest.mark.parametrize(
    ("strides", "size", "groups", "filters"), [(1, 3, 1, 12), (2, 5, 3, 20), (2, 3, 2, 24), (1, 5, 4, 12)]
)
def test_a_block_is_the_papers(strides, size, groups, filters):
    tf.keras.utils.set_random_seed(3)
    method = methods.create("react_net").padding_with(0.0)
    image = tf.keras.layers.Input((8, 8, 12))
    model = randomized(tf.keras.Model(image, nasbnn.block(image, method, filters, strides, size, groups, "b")))
    x, w = np.random.default_rng(1).normal(size=(2, 8, 8, 12)), weights_of(model)
    y = batch_norm(binary(x, w["b_1_conv"], strides, groups), w["b_1_conv_norm"])
    y = rprelu(y + (halved(x) if strides == 2 else x), w["b_1_add_rprelu"])
    z = batch_norm(binary(y, w["b_2_conv"]), w["b_2_conv_norm"])
    repeated = np.concatenate([y] * 3, -1)[..., :filters]
    expected = rprelu(z + repeated, w["b_2_add_rprelu"])
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())


LARGEST = {
    "stem": 48,
    "channels": [96, 192, 384, 768, 1536],
    "depths": [3, 3, 3, 9, 3],
    "kernels": [3, 5, 5, 5, 5],
    "groups": [1, 1, 2, 4, 8],
}
SMALLEST = {"stem": 24, "channels": [48, 96, 192, 384, 768]}


@pytest.mark.parametrize(
    ("network", "operations", "convolutions"),
    [pytest.param(SMALLEST, 19, 32, marks=pytest.mark.slow), pytest.param(LARGEST, 328, 42, marks=pytest.mark.slow)],
)
def test_the_ends_of_the_search_space(network, operations, convolutions):
    """In millions of operations, without those of the 8-bit stem and the last layer."""
    found = counts.of(zoo.build("nasbnn", "react_net", network=network))
    assert found.binary_convolutions == convolutions
    assert round(found.binary_macs / 64 / 1e6) == operations


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"kernels": [3, 3, 4, 3, 3]}, "network.kernels: must be odd"),
        ({"channels": [64, 32, 32, 32, 32]}, "network.channels: must not fall"),
        ({"groups": [1, 3, 1, 1, 1]}, "network.groups: 64 channels of stage 2 do not fit into 3"),
        ({"depths": [1, 1]}, "network.depths: "),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(network, message):
    with pytest.raises(UsageError) as error:
        zoo.build("nasbnn", network=network)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_grouped_filters_become_binary(tmp_path):
    tf.keras.utils.set_random_seed(1)
    method, image = methods.create("react_net").padding_with(0.0), tf.keras.layers.Input((6, 6, 64))
    x = nasbnn.block(image, method, 96, 1, 5, 2, "a")
    model = calibrated(tf.keras.Model(image, nasbnn.block(x, method, 96, 2, 3, 2, "b")))  # 48 channels a group
    conversion = converters.convert(model, tmp_path / "m.tflite")
    assert not conversion.float_layers
    assert {layer.layer for layer in conversion.layers} == {"a_1_conv", "a_2_conv", "b_1_conv", "b_2_conv"}
