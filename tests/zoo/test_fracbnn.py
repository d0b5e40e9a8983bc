"""FracBNN: its counts, its input code, its gated convolution and unit in plain NumPy, and how it becomes binary."""

import numpy as np
import pytest
from block_formulas import batch_norm, conv, halved, prelu, randomized, sign, weights_of
from calibrated import calibrated

from mobile_bnn import converters, methods, zoo
from mobile_bnn.converters.keras.layers import run_recorded
from mobile_bnn.layers.frac_bnn import GatedPrecisionConv2D, SymmetricGrid, ThermometerCode
from mobile_bnn.legacy_keras import tf
from mobile_bnn.zoo import counts, fracbnn

METHOD = methods.create("bnn").padding_with(0.0)


def grid(x, levels):
    """The nearest of evenly spaced levels from -1 to 1."""
    values = np.linspace(-1, 1, levels)
    return values[np.abs(x[..., None] - values).argmin(-1)]


def gated(x, w, strides):
    """m = ⅔·msb ∗ w; f = ⅔·msb ∗ w + ⅓·lsb ∗ w where m > Δ: the 2-bit grid's value is ⅔·msb + ⅓·lsb."""
    kernel = sign(w["kernel"])
    most = sign(x)
    main = conv(2 / 3 * most, kernel, strides, "symmetric")
    return np.where(main > w["threshold"], conv(grid(x, 4), kernel, strides, "symmetric"), main)


def unit(x, w, strides, doubled):
    """BN( RPReLU(BN(PG(x))) + S(Q4(x)) )."""
    y = batch_norm(gated(x, w["u_conv"], strides), w["u_conv_norm"])
    p = w["u_rprelu"]
    y = prelu(y + p["before"], p["slope"]) + p["after"]
    around = grid(x, 16)
    around = halved(around) if strides == 2 else around
    return batch_norm(y + (np.concatenate([around] * 2, -1) if doubled else around), w["u_add_norm"])


@pytest.mark.parametrize(("size", "strides", "doubled"), [(3, 1, False), (3, 2, False), (1, 1, True)])
def test_a_unit_is_the_papers(size, strides, doubled):
    tf.keras.utils.set_random_seed(3)
    image = tf.keras.layers.Input((8, 8, 10))
    model = randomized(tf.keras.Model(image, fracbnn.unit(image, METHOD, 20 if doubled else 10, size, strides, "u")))
    x, w = np.random.default_rng(1).normal(0, 0.6, size=(2, 8, 8, 10)), weights_of(model)
    expected = unit(x, w, strides, doubled)
    np.testing.assert_allclose(model(x.astype(np.float32)), expected, atol=1e-4 * np.abs(expected).max())
    share = (conv(2 / 3 * sign(x), sign(w["u_conv"]["kernel"]), strides, "symmetric") > w["u_conv"]["threshold"]).mean()
    assert 0.2 < share < 0.9, "both sides of the gate are seen"


def test_the_thermometer_of_a_pixel():
    """As many of 32 bits as v/8 rounds to, of each colour in turn."""
    pixels = np.array([0, 3, 5, 13, 128, 251, 255])
    x = (pixels / 127.5 - 1).astype(np.float32).reshape(1, 1, -1, 1).repeat(3, -1)
    code = ThermometerCode()(x).numpy()
    assert set(np.unique(code)) == {-1.0, 1.0}
    bits = (code[0, 0] > 0).reshape(len(pixels), 3, 32)
    for colour in range(3):
        np.testing.assert_array_equal(bits[:, colour].sum(-1), np.minimum(np.round(pixels / 8), 32))
        assert (np.diff(bits[:, colour].astype(int), axis=-1) <= 0).all()


def test_the_grid_has_levels_and_a_gradient_inside():
    x = tf.constant([-1.5, -0.99, -0.5, 0.01, 0.06, 0.07, 0.999, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = SymmetricGrid(4)(x)
    np.testing.assert_allclose(y, grid(x.numpy(), 16), atol=1e-6)
    np.testing.assert_array_equal(tape.gradient(y, x), np.abs(x) < 1)


def test_the_second_sign_is_of_what_the_first_leaves_over_in_a_comparison_too():
    """Where the file takes a value near 0 for the other sign, both of its planes do."""
    layer = GatedPrecisionConv2D(4, 1, padding="same", use_bias=False, kernel_quantizer="ste_sign", name="gated")
    image = tf.keras.layers.Input((1, 4, 1))
    model = tf.keras.Model(image, layer(image))
    x = np.array([0.0, 0.5, -0.9, 1e-9], np.float32).reshape(1, 1, 4, 1)
    file_has = iter([np.array([-1, 1, -1, 1], np.float32).reshape(x.shape), None])
    _, calls = run_recorded(model, [x], lambda name, quantized: next(file_has))
    assert [(call.layer, call.replaced) for call in calls] == [("gated", True), ("gated", False)]
    np.testing.assert_array_equal(calls[0].quantized.ravel(), [1, 1, -1, 1])
    np.testing.assert_array_equal(calls[1].quantized.ravel(), [1, -1, -1, -1])
    assert len(run_recorded(model, [x])[1]) == 2, "what is watched in one run is put back"


def test_gradients_reach_thresholds_kernels_and_inputs():
    layer = GatedPrecisionConv2D(4, 3, padding="same", kernel_quantizer="ste_sign", kernel_constraint="weight_clip")
    x = tf.Variable(np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) ** 2)
    gradients = tape.gradient(loss, [x, *layer.trainable_weights])
    assert all(np.abs(each).max() > 0 for each in gradients)
    np.testing.assert_array_equal(gradients[0].numpy()[np.abs(x) >= 1], 0)


@pytest.mark.slow
def test_the_published_costs():
    found = counts.of(zoo.build("fracbnn", "bnn"))
    assert found.binary_convolutions == 1 + 2 * 26
    assert round(found.binary_macs / 1e9, 2) == 9.98
    assert round(found.float_macs / 1e6, 1) == 1.0
    assert round(found.operations / 1e8, 2) == 1.57
    assert round(found.ideal_bytes / 1e6, 1) == 8.0


def test_it_becomes_binary(tmp_path):
    tf.keras.utils.set_random_seed(1)
    image = tf.keras.layers.Input((8, 8, 3))
    stem = METHOD.conv2d(ThermometerCode()(image), 32, 3, strides=2, padding="symmetric", name="stem")
    model = calibrated(tf.keras.Model(image, fracbnn.unit(stem, METHOD, 32, 3, 1, "u")))
    conversion = converters.convert(model, tmp_path / "m.tflite")
    assert not conversion.float_layers
    names = [each.name for each in conversion.operators.operators]
    assert names.count("LceBconv2d") == 3
    assert "CONV_2D" not in names
