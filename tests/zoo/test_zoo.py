"""The architectures: shapes, sizes as published, and every architecture with every method."""

import re

import numpy as np
import pytest

from mobile_bnn import methods, zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import larq, tf


def macs(model, precision):
    profile = larq.models.ModelProfile(model)
    return sum(o.n for layer in profile.layer_profiles for o in layer.op_profiles if o.precision == precision)


@pytest.mark.parametrize("method", methods.names())
@pytest.mark.parametrize("name", zoo.names())
def test_every_architecture_takes_every_method(name, method):
    size = max(zoo.get(name).smallest_input, 8)
    model = zoo.build(name, method, (size, size, 3), 5)
    y = model(tf.random.stateless_normal((2, size, size, 3), seed=(1, 2)), training=False).numpy()
    assert model.name == name
    assert y.shape == (2, 5)
    np.testing.assert_allclose(y.sum(1), 1, rtol=1e-5)
    quantized = [layer for layer in model.layers if getattr(layer, "input_quantizer", None)]
    assert quantized
    assert {type(layer.input_quantizer) for layer in quantized} == {type(methods.get(method).activation_quantizer())}


def test_defaults_are_the_architectures_own():
    model = zoo.build("resnet20")
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 10)


@pytest.mark.parametrize(
    ("name", "parameters", "giga_binary_macs", "mebibytes"),
    [
        ("quicknet_small", 12_655_688, 1.156, 4.00),
        ("quicknet", 13_234_088, 1.850, 4.17),
        ("quicknet_large", 23_342_248, 3.699, 5.40),
    ],
)
def test_quicknet_has_the_published_sizes(name, parameters, giga_binary_macs, mebibytes):
    model = zoo.build(name)
    profile = larq.models.ModelProfile(model)
    assert sum(p.count for layer in profile.layer_profiles for p in layer.weight_profiles) == parameters
    assert round(macs(model, 1) / 1e9, 3) == giga_binary_macs
    assert round(profile.memory / 8 / 2**20, 2) == mebibytes


def test_birealnet18_has_the_published_size():
    model = zoo.build("birealnet18", "bi_real")
    # Published when Larq still counted the moving statistics of the batch norms as parameters of 32 bits.
    statistics = sum(weight.shape.num_elements() for weight in model.non_trainable_weights)
    assert model.count_params() == 11_699_112
    assert round((larq.models.ModelProfile(model).memory / 8 + 4 * statistics) / 2**20, 2) == 4.03
    assert round(macs(model, 1) / 1e9, 3) == 1.676
    assert round(macs(model, 32) / 1e6, 1) == 137.8


@pytest.mark.parametrize("name", ["resnet20", "birealnet18"])
def test_a_real_shortcut_goes_around_every_binary_convolution(name):
    model = zoo.build(name, "bi_real")
    convolutions = [layer for layer in model.layers if isinstance(layer, larq.layers.QuantConv2D)]
    additions = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.Add)]
    assert len(convolutions) == len(additions) == {"resnet20": 18, "birealnet18": 16}[name]
    assert all(layer.pad_values == 1.0 for layer in convolutions)


def test_binary_net_is_larqs_cifar10_tutorial():
    model = zoo.build("binary_net")
    assert [layer.kernel.shape[-1] for layer in model.layers if hasattr(layer, "kernel_quantizer")] == [
        128, 128, 256, 256, 512, 512, 1024, 1024, 10,
    ]  # fmt: skip
    assert model.get_layer("conv1").input_quantizer is None, "the image stays real"


def test_the_blur_of_quicknet_keeps_the_mean_and_is_not_trained():
    blur = zoo.build("quicknet_small", input_shape=(32, 32, 3), num_classes=3).get_layer("transition1_blur")
    kernel = blur.depthwise_kernel.numpy()
    np.testing.assert_allclose(kernel.sum((0, 1)), 1)
    np.testing.assert_allclose(kernel[:, :, 0, 0] * 16, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    assert not blur.trainable_weights


def test_layer_names_do_not_depend_on_what_was_built_before():
    first, second = zoo.build("binary_lenet"), zoo.build("binary_lenet")
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet2"}, "unknown zoo model 'resnet2'. Did you mean resnet20"),
        ({"name": "resnet20", "method": "bnm"}, "unknown method 'bnm'. Did you mean bnn"),
        ({"name": "quicknet_small", "input_shape": (8, 8, 3)}, "quicknet_small cannot take images of 8x8"),
        ({"name": "resnet20", "input_shape": (8, 8)}, "input_shape must be (height, width, channels), not (8, 8)"),
        ({"name": "resnet20", "num_classes": 1}, "num_classes must be at least 2, not 1"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(arguments, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        zoo.build(**arguments)
