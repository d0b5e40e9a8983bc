"""The architectures: shapes, sizes as published, and every architecture with every method."""

import math
import re

import numpy as np
import pytest

from mobile_bnn import methods, zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import larq, tf


def macs(model, precision):
    profile = larq.models.ModelProfile(model)
    return sum(o.n for layer in profile.layer_profiles for o in layer.op_profiles if o.precision == precision)


def zoo_of(method):
    return "resnet20" if methods.get(method).needs else "binary_net"


# Each of the same function as another name, with other numbers of blocks or channels alone.
SAME = {"birealnet34", "bnext_l", "bnext_m", "bnext_s", "meliusnet42", "meliusnet59", "meliusnet_a", "meliusnet_b"}
SAME |= {
    "meliusnet29",
    "pokebnn_050",
    "pokebnn_075",
    "pokebnn_100",
    "pokebnn_140",
    "reactnet_a",
    "reactnet_c",
    "resnet34",
}
NAMES = sorted(set(zoo.names()) - SAME)

# An architecture sees a method's layers and what it pads with, which is 0 in dorefa alone.
METHODS = {(zoo_of(name), name) for name in methods.names()}
PAIRS = sorted({(name, "dorefa") for name in NAMES} | METHODS)


@pytest.mark.parametrize(("name", "method"), PAIRS)
def test_architectures_take_methods(name, method):
    size = max(zoo.get(name).smallest_input, 8)
    model = zoo.build(name, method, (size, size, 3), 5)
    y = model(tf.random.stateless_normal((2, size, size, 3), seed=(1, 2)), training=False).numpy()
    assert model.name == name
    assert y.shape == (2, 5)
    np.testing.assert_allclose(y.sum(1), 1, rtol=1e-5)
    quantized = [layer for layer in model.layers if getattr(layer, "input_quantizer", None)]
    last = model.layers[-1]
    assert (last.name, last.activation, last.input.shape[-1]) == ("probabilities", tf.keras.activations.softmax, 5)
    expected = methods.create(method).input_quantizer()
    assert {type(layer.input_quantizer) for layer in quantized} == ({type(expected)} if expected else set())


@pytest.mark.parametrize("name", NAMES)
def test_a_backbone_has_maps_by_stride(name):
    size = max(zoo.get(name).smallest_input, 32)
    image = tf.keras.layers.Input((size, size, 3))
    features = zoo.get(name).features(methods.create("bnn"), image, zoo.network(name, {}))
    heights = [features[stride].shape[1] for stride in sorted(features)]
    assert heights == sorted(heights, reverse=True)
    for stride, tensor in features.items():
        # A convolution without padding makes a map smaller, and the AlexNets have several.
        assert size // stride - 2 <= tensor.shape[1] <= math.ceil(size / stride), stride


def test_a_method_that_needs_a_shortcut_refuses_nets_without():
    class Residual(methods.get("bnn")):
        needs = zoo.SHORTCUT

    assert zoo.build("resnet20", Residual(), (8, 8, 3), 3).output_shape == (None, 3)
    message = "binary_lenet cannot be trained with bnn: the method needs a shortcut around every binary convolution"
    with pytest.raises(UsageError, match=rf"{message}. Choose one of .* or of \d+ others in mbnn zoo list$"):
        zoo.build("binary_lenet", Residual())


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


def mebibytes(model, weights):
    """The size of some of a model's weights: one bit for those that are quantized, 32 for the others."""
    binary = {layer.kernel.name for layer in model.layers if getattr(layer, "kernel_quantizer", None)}
    bits = sum(weight.shape.num_elements() * (1 if weight.name in binary else 32) for weight in weights)
    return round(bits / 8 / 2**20, 2)


@pytest.mark.parametrize(
    ("name", "parameters", "giga_binary_macs", "mega_float_macs", "size"),
    [
        ("binary_alexnet", 61_859_192, 0.769, 72.9, 7.49),
        ("binary_densenet28", 5_150_504, 3.587, 202.5, 4.12),
        ("binary_densenet37", 8_734_120, 4.507, 199.7, 5.25),
        ("binary_densenet37_dilated", 8_734_120, 7.774, 452.6, 5.25),
        ("binary_densenet45", 13_939_240, 6.431, 244.1, 7.54),
        ("binary_resnet_e18", 11_699_368, 1.676, 137.8, 4.03),
        ("birealnet18", 11_699_112, 1.676, 137.8, 4.03),
        ("dorefa_net", 62_403_912, 2.925, 125.0, 22.84),
        ("xnornet", 62_396_768, 1.026, 113.4, 22.81),
    ],
)
def test_larq_zoos_networks_have_the_published_sizes(name, parameters, giga_binary_macs, mega_float_macs, size):
    model = zoo.build(name)
    assert model.count_params() == parameters
    assert round(macs(model, 1) / 1e9, 3) == pytest.approx(giga_binary_macs, abs=1e-9)
    assert round(macs(model, 32) / 1e6, 1) == mega_float_macs
    assert mebibytes(model, model.weights) == size


def test_later_networks_of_larq_zoo_have_the_published_sizes():
    """Larq no longer counts the moving statistics of the batch norms in a model's size, nor in MeliusNet's weights."""
    melius, real_to_binary = zoo.build("meliusnet22"), zoo.build("real_to_binary_net")
    assert sum(weight.shape.num_elements() for weight in melius.trainable_weights) == 6_944_584
    assert real_to_binary.count_params() == 11_995_624
    assert mebibytes(melius, melius.trainable_weights) == 3.88
    assert mebibytes(real_to_binary, real_to_binary.trainable_weights) == 5.13
    assert [round(macs(model, 1) / 1e9, 3) for model in (melius, real_to_binary)] == [4.624, 1.676]
    assert [round(macs(model, 32) / 1e6, 1) for model in (melius, real_to_binary)] == [136.4, 138.1]


SHORTCUTS = {"resnet20": 18, "birealnet18": 16, "binary_resnet_e18": 16, "real_to_binary_net": 16}


@pytest.mark.parametrize("name", SHORTCUTS)
def test_a_real_shortcut_goes_around_every_binary_convolution(name):
    model = zoo.build(name, "bi_real", (32, 32, 3))
    convolutions = [layer for layer in model.layers if isinstance(layer, larq.layers.QuantConv2D)]
    additions = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.Add)]
    assert len(convolutions) == len(additions) == SHORTCUTS[name]
    published = 1.0 if name == "resnet20" else 0.0  # Larq Zoo's networks pad with 0
    assert {layer.pad_values for layer in convolutions} == {published}


def outputs_of(model, names):
    """What some layers give for a batch of two random images, as arrays."""
    part = tf.keras.Model(model.input, [model.get_layer(name).output for name in names])
    images = tf.random.stateless_normal((2, *model.input_shape[1:]), seed=(3, 4))
    return [output.numpy() for output in tf.nest.flatten(part(images, training=False))]


def test_meliusnet_improves_the_last_64_channels():
    model = zoo.build("meliusnet22", input_shape=(32, 32, 3), num_classes=3)
    names = [f"stage2_1_{name}" for name in ("dense_append", "improve_conv", "improve_add")]
    before, added, after = outputs_of(model, names)
    assert before.shape[-1] == 160 + 64
    np.testing.assert_array_equal(after[..., :160], before[..., :160])
    np.testing.assert_allclose(after[..., 160:], before[..., 160:] + added, rtol=1e-6)
    assert np.abs(added).min() < np.abs(added).max()


def test_a_dense_network_keeps_the_channels_that_it_appends_to():
    model = zoo.build("binary_densenet28", input_shape=(32, 32, 3), num_classes=3)
    first, second = outputs_of(model, ["stage1_1_append", "stage1_2_append"])
    assert second.shape[-1] == first.shape[-1] + 64
    np.testing.assert_array_equal(second[..., : first.shape[-1]], first)


def test_dilated_stages_keep_the_size_of_the_map():
    model = zoo.build("binary_densenet37_dilated", input_shape=(64, 64, 3))
    layers = [model.get_layer(f"stage{stage}_1_conv") for stage in (1, 2, 3, 4)]
    assert [layer.dilation_rate for layer in layers] == [(1, 1), (1, 1), (2, 2), (4, 4)]
    assert [layer.output_shape[1:3] for layer in layers] == [(16, 16), (8, 8), (8, 8), (8, 8)]


def test_real_to_binary_scales_each_image_by_its_own_factors():
    (scales,) = outputs_of(zoo.build("real_to_binary_net", input_shape=(32, 32, 3)), ["stage2_1_scales"])
    assert scales.shape == (2, 1, 1, 128)
    assert 0 <= scales.min() < 0.5 < scales.max() <= 1
    assert not np.allclose(scales[0], scales[1])


@pytest.mark.parametrize(
    ("name", "real_inputs", "real_weights"),
    [
        ("binary_alexnet", ["conv1"], []),
        ("xnornet", ["conv1", "logits"], ["conv1", "logits"]),
        ("dorefa_net", ["conv1", "logits"], ["conv1", "logits"]),
    ],
)
def test_which_layers_of_the_alexnets_are_real(name, real_inputs, real_weights):
    model = zoo.build(name, input_shape=(64, 64, 3), num_classes=3)
    linear = [layer for layer in model.layers if hasattr(layer, "kernel")]
    assert len(linear) == 8
    assert [layer.name for layer in linear if not getattr(layer, "input_quantizer", None)] == real_inputs
    assert [layer.name for layer in linear if not getattr(layer, "kernel_quantizer", None)] == real_weights


def test_binary_net_is_larqs_cifar10_tutorial():
    model = zoo.build("binary_net")
    assert [layer.kernel.shape[-1] for layer in model.layers if hasattr(layer, "kernel_quantizer")] == [
        128, 128, 256, 256, 512, 512, 1024, 1024, 10,
    ]  # fmt: skip
    assert model.get_layer("conv1").input_quantizer is None, "the image stays real"
    assert (model.count_params(), macs(model, 1), macs(model, 32)) == (10_363_550, 510_961_664, 3_110_400)


def test_the_blur_of_quicknet_keeps_the_mean_and_is_not_trained():
    blur = zoo.build("quicknet_small", input_shape=(32, 32, 3), num_classes=3).get_layer("transition1_blur")
    kernel = blur.depthwise_kernel.numpy()
    np.testing.assert_allclose(kernel.sum((0, 1)), 1)
    np.testing.assert_allclose(kernel[:, :, 0, 0] * 16, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    assert not blur.trainable_weights


# Those with layers or initializers of their own.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["dorefa_net", "meliusnet22", "quicknet_small", "real_to_binary_net", "xnornet"])
def test_a_saved_model_can_be_loaded(tmp_path, name):
    size = max(zoo.get(name).smallest_input, 8)
    model = zoo.build(name, "bnn", (size, size, 3), 3)
    model.save(tmp_path / "m.keras")
    loaded = tf.keras.models.load_model(tmp_path / "m.keras")
    image = tf.random.stateless_normal((1, size, size, 3), seed=(1, 2))
    np.testing.assert_array_equal(loaded(image, training=False), model(image, training=False))


def test_layer_names_do_not_depend_on_what_was_built_before():
    first, second = zoo.build("binary_lenet"), zoo.build("binary_lenet")
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet2"}, "unknown zoo model 'resnet2'. Did you mean resnet20"),
        ({"name": "resnet20", "method": "dorefs"}, "unknown method 'dorefs'. Did you mean dorefa"),
        ({"name": "quicknet_small", "input_shape": (8, 8, 3)}, "quicknet_small cannot take images of 8x8"),
        ({"name": "resnet20", "input_shape": (8, 8)}, "input_shape must be (height, width, channels), not (8, 8)"),
        ({"name": "resnet20", "num_classes": 1}, "num_classes must be at least 2, not 1"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(arguments, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        zoo.build(**arguments)
