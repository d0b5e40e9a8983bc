"""Symmetric padding, PyTorch's: around the quantized map, equal to a plain sum over windows, and binary in the file."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from mobile_bnn import converters, methods
from mobile_bnn.errors import UsageError
from mobile_bnn.layers.symmetric_padding import SymmetricQuantConv2D, pad_evenly
from mobile_bnn.layers.xnor_net import InputScale
from mobile_bnn.legacy_keras import tf
from mobile_bnn.runtime import Interpreter


def model(pad_value, strides, size=3, shape=(8, 8, 32), filters=5, method="bnn"):
    image = tf.keras.layers.Input(shape)
    chosen = methods.create(method)
    options = {"strides": strides, "padding": "symmetric", "pad_value": pad_value}
    return tf.keras.Model(image, chosen.conv2d(image, filters, size, name="conv", **options))


def sign(x):
    return np.where(x >= 0, 1.0, -1.0)


def by_windows(x, kernel, pad_value, strides, values=sign, dilation=1):
    """PyTorch's documentation of `Conv2d` with padding d·(k // 2), of signs: float64 [N, H', W', O]."""
    size = len(kernel)
    pad, reach = dilation * (size // 2), dilation * (size - 1) + 1
    padded = np.pad(values(x), ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=pad_value)
    windows = sliding_window_view(padded, (reach, reach), (1, 2))[:, ::strides, ::strides, :, ::dilation, ::dilation]
    return np.einsum("nhwcyx,yxco->nhwo", windows, sign(kernel))


@pytest.mark.parametrize("pad_value", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize(("strides", "size", "shape"), [(1, 3, (8, 8, 32)), (2, 3, (8, 8, 32)), (2, 5, (7, 6, 32))])
def test_it_is_pytorchs_and_binary_in_the_file(tmp_path, pad_value, strides, size, shape):
    tf.keras.utils.set_random_seed(4)
    net = model(pad_value, strides, size, shape)
    x = np.random.default_rng(3).normal(size=(1, *shape)).astype(np.float32)
    expected = by_windows(x, net.get_layer("conv").get_weights()[0], pad_value, strides)
    np.testing.assert_array_equal(net(x), expected)
    conversion = converters.convert(net, tmp_path / "m.tflite")
    assert not conversion.float_layers
    np.testing.assert_array_equal(Interpreter(tmp_path / "m.tflite").predict(x), expected)


@pytest.mark.parametrize("pad_value", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize(("strides", "size", "dilation"), [(1, 2, 1), (1, 4, 1), (1, 2, 2), (2, 2, 1), (2, 4, 1)])
def test_an_even_filter_is_padded_evenly_too(tmp_path, pad_value, strides, size, dilation):
    """A map of PyTorch's is larger than that of "same": H + 2·d·(k // 2) − d·(k − 1) = H + d for a stride of 1."""
    tf.keras.utils.set_random_seed(4)
    image = tf.keras.layers.Input((7, 6, 32))
    options = {"strides": strides, "dilation_rate": dilation, "padding": "same", "pad_values": pad_value}
    quantized = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
    net = tf.keras.Model(image, SymmetricQuantConv2D(5, size, name="conv", **options, **quantized)(image))
    x = np.random.default_rng(3).normal(size=(1, 7, 6, 32)).astype(np.float32)
    expected = by_windows(x, net.get_layer("conv").get_weights()[0], pad_value, strides, dilation=dilation)
    assert expected.shape[1:3] == tuple((n + dilation - 1) // strides + 1 for n in (7, 6))
    assert net.output_shape == (None, *expected.shape[1:])
    np.testing.assert_array_equal(net(x), expected)
    conversion = converters.convert(net, tmp_path / "m.tflite")
    assert not conversion.float_layers
    np.testing.assert_array_equal(Interpreter(tmp_path / "m.tflite").predict(x), expected)


def test_a_saved_layer_pads_as_before(tmp_path):
    net = model(0.0, 2)
    net.save(tmp_path / "m.keras")
    x = np.random.default_rng(3).normal(size=(2, 8, 8, 32)).astype(np.float32)
    np.testing.assert_array_equal(tf.keras.models.load_model(tmp_path / "m.keras")(x), net(x))


def test_same_padding_with_a_stride_is_another():
    """The reason that there is a layer for it."""
    x = np.random.default_rng(3).normal(size=(1, 8, 8, 32)).astype(np.float32)
    net = model(0.0, 2)
    kernel = net.get_layer("conv").kernel.latent_variable.numpy()
    same = tf.nn.conv2d(np.sign(x), np.sign(kernel), 2, "SAME")
    assert same.shape == net(x).shape
    assert not np.allclose(same, net(x))


def test_float_maps_are_padded_evenly():
    x = np.ones((1, 4, 4, 2), np.float32)
    np.testing.assert_array_equal(pad_evenly(x, 3, "conv"), np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))


@pytest.mark.parametrize("method", ["horq", "cbcn"])
def test_layers_of_a_methods_own_refuse_it(method):
    with pytest.raises(UsageError, match=f"{method} cannot make layer conv: it has layers of its own"):
        model(0.0, 2, filters=8, method=method)


def test_xnor_nets_scale_sees_the_same_windows():
    """K of equation 11: the mean magnitude of each window, where what lies outside counts as 0."""
    x = np.random.default_rng(3).normal(size=(1, 8, 8, 32)).astype(np.float32)
    magnitude = np.abs(x).mean(-1, keepdims=True)
    expected = by_windows(magnitude, np.ones((3, 3, 1, 1)), 0.0, 2, values=lambda a: a) / 9
    scale = InputScale((3, 3), strides=2, padding="symmetric")
    np.testing.assert_allclose(scale(x), expected, rtol=1e-5)
