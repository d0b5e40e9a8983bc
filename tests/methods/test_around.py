"""What methods put around a layer, after a step, or into the loss, against NumPy."""

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.layers.constraints import BlendWithQuantized, prox_to_signs
from mobile_bnn.layers.distribution_loss import DistributionLoss, distribution_loss
from mobile_bnn.layers.loss_aware import loss_aware_scale
from mobile_bnn.layers.xnor_net import InputScale
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("strides", "padding", "dilation"), [(1, "same", 1), (2, "same", 1), (1, "valid", 1), (1, "same", 2)]
)
@pytest.mark.parametrize("size", [(3, 3), (1, 1), (2, 5)])
def test_the_scale_of_xnor_nets_inputs(size, strides, padding, dilation):
    """K tap by tap; where the patch reaches beyond the map it counts as 0."""
    x = GENERATOR.normal(size=(2, 7, 8, 5)).astype(np.float32)
    k = InputScale(size, strides, dilation, padding)(x).numpy()
    magnitude, expected = np.abs(x.astype(np.float64)).mean(-1), np.zeros(k.shape)
    reach = [(taps - 1) * dilation + 1 for taps in size]
    before = [0, 0]
    if padding == "same":
        for axis in (0, 1):
            whole = -(-x.shape[axis + 1] // strides)
            before[axis] = max((whole - 1) * strides + reach[axis] - x.shape[axis + 1], 0) // 2
    for index in np.ndindex(k.shape[:3]):
        for row in range(size[0]):
            for column in range(size[1]):
                place = [
                    index[1] * strides - before[0] + row * dilation,
                    index[2] * strides - before[1] + column * dilation,
                ]
                if all(0 <= at < most for at, most in zip(place, magnitude.shape[1:], strict=True)):
                    expected[index] += magnitude[index[0], place[0], place[1]] / (size[0] * size[1])
    np.testing.assert_allclose(k, expected, rtol=1e-5)


def test_xnor_net_multiplies_by_it():
    image = tf.keras.Input((6, 6, 4))
    plain, scaled = (
        tf.keras.Model(image, methods.create("xnor_net", input_scale=each).conv2d(image, 3, 3, strides=2, name="conv"))
        for each in (False, True)
    )
    scaled.set_weights(plain.get_weights())
    x = GENERATOR.normal(size=(2, 6, 6, 4)).astype(np.float32)
    np.testing.assert_allclose(scaled(x), plain(x) * InputScale((3, 3), 2)(x), rtol=1e-5)
    constant = np.full((1, 6, 6, 4), -0.3, np.float32)
    np.testing.assert_allclose(InputScale((3, 3))(constant)[:, 1:-1, 1:-1], 0.3, rtol=1e-6)


@pytest.mark.parametrize(("scale", "parameters"), [("channel", 3), ("channel_row_column", 3 + 6 + 4)])
def test_xnor_net_plus_pluss_scale(scale, parameters):
    image = tf.keras.Input((6, 4, 8))
    model = tf.keras.Model(image, methods.create("xnor_net_plus_plus", scale=scale).conv2d(image, 3, 3, name="conv"))
    plain = tf.keras.Model(image, methods.create("bnn").conv2d(image, 3, 3, name="conv"))
    plain.set_weights(model.get_weights()[:1])
    x = GENERATOR.normal(size=(2, 6, 4, 8)).astype(np.float32)
    np.testing.assert_array_equal(model(x), plain(x))  # all factors are 1
    layer = model.get_layer("conv_scale")
    assert layer.count_params() == parameters
    factors = [GENERATOR.normal(size=weight.shape).astype(np.float32) for weight in layer.weights]
    layer.set_weights(factors)
    outer = factors[0].reshape(1, 1, 3)
    if len(factors) == 3:
        outer = np.einsum("c,h,w->hwc", *(factor.ravel() for factor in factors))
    np.testing.assert_allclose(model(x), plain(x) * outer, rtol=1e-4, atol=1e-5)
    assert len(layer.trainable_weights) == len(factors)


def test_bbgs_gate():
    method = methods.create("bbg", gate=0.5)
    x, y = tf.keras.Input((4, 4, 3)), tf.keras.Input((4, 4, 3))
    model = tf.keras.Model([x, y], method.shortcut(x, y, name="sum"))
    values = [GENERATOR.normal(size=(1, 4, 4, 3)).astype(np.float32) for _ in range(2)]
    np.testing.assert_allclose(model(values), values[1] + 0.5 * values[0], rtol=1e-6)
    model.get_layer("sum_gate").set_weights([np.zeros((1, 1, 3))])
    np.testing.assert_array_equal(model(values), values[1])
    assert methods.get("bbg").needs == {"shortcut"}


def test_react_nets_shifts():
    quantizer = methods.create("react_net").input_quantizer()
    x = np.stack([X, X + np.float32(0.25)], 1)
    quantizer(x)
    shift = np.float32([0.25, -0.5])
    quantizer.shift.assign(shift)
    upstream = GENERATOR.normal(size=x.shape).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, x, upstream)
    moved = x + shift
    np.testing.assert_array_equal(y, sign(moved))
    expected = upstream * np.maximum(2 - 2 * np.abs(moved), 0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)
    with tf.GradientTape() as tape:
        y = quantizer(tf.constant(x))
    np.testing.assert_allclose(tape.gradient(y, quantizer.shift, upstream), expected.sum(0), rtol=1e-4, atol=1e-5)


def test_react_nets_activation():
    a, b = tf.keras.Input((2, 2, 3)), tf.keras.Input((2, 2, 3))
    model = tf.keras.Model([a, b], methods.create("react_net").shortcut(a, b, name="sum"))
    before, after, slope = (GENERATOR.normal(size=3).astype(np.float32) for _ in range(3))
    layer = model.get_layer("sum_rprelu")
    names = [weight.name.rpartition("/")[2].partition(":")[0] for weight in layer.weights]
    given = {"before": before, "after": after, "slope": slope}
    np.testing.assert_array_equal(layer.get_weights()[names.index("slope")], 0.25)
    layer.set_weights([given[name] for name in names])
    values = [GENERATOR.normal(size=(5, 2, 2, 3)).astype(np.float32) for _ in range(2)]
    shifted = values[0] + values[1] + before
    np.testing.assert_allclose(
        model(values), np.where(shifted > 0, shifted, slope * shifted) + after, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
def test_ada_bins_weights(kernel):
    quantizer = methods.create("ada_bin").kernel_quantizer()
    quantizer.t.assign(2.0)
    w = filters(kernel)
    beta, alpha = w.mean(0), np.sqrt(w.var(0) + 1e-12)
    y, gradient = forward_and_gradient(quantizer, kernel)
    certain = np.abs(w - beta) > 1e-6
    np.testing.assert_allclose(filters(y)[certain], (alpha * sign(w - beta) + beta)[certain], rtol=1e-4, atol=1e-6)
    assert np.isfinite(gradient).all()
    if certain.all() and len(w) > 1:
        # y = α·s(v) + β, v = (w − β)/α, s' = k·t·(1 − tanh²(t·v)); dβ/dw = 1/n, dα/dw = v/n.
        v = (w - beta) / alpha
        slope = 2.0 * (1 - np.tanh(2.0 * v) ** 2)
        expected = slope - slope.mean(0) + 1 + v * (sign(v) - slope * v).mean(0)
        np.testing.assert_allclose(filters(gradient), expected, rtol=5e-3, atol=5e-3)


def test_ada_bins_activations():
    quantizer = methods.create("ada_bin").input_quantizer()
    np.testing.assert_array_equal(quantizer(X), sign(X))  # α = 1, β = 0
    quantizer.alpha.assign(0.5)
    quantizer.beta.assign(0.25)
    x = X[np.abs(X) < 10]
    y, gradient = forward_and_gradient(quantizer, x)
    np.testing.assert_array_equal(y, 0.5 * sign(x - 0.25) + 0.25)
    np.testing.assert_allclose(gradient, np.maximum(2 - 2 * np.abs((x - 0.25) / 0.5), 0), rtol=1e-5, atol=1e-6)


def test_ada_bins_maxout():
    image = tf.keras.Input((4, 4, 8))
    model = tf.keras.Model(image, methods.create("ada_bin").conv2d(image, 3, 3, name="conv"))
    y = model.get_layer("conv_maxout")(tf.constant([[[[-2.0, 0.0, 3.0]]]]))
    np.testing.assert_array_equal(y, [[[[-0.5, 0.0, 3.0]]]])


@pytest.mark.parametrize(
    ("w", "strength", "expected"), [(0.3, 0.1, 0.4), (1.4, 0.1, 1.0), (-0.05, 0.1, -0.15), (0.95, 0.1, 1.0)]
)
def test_proximal_steps_by_hand(w, strength, expected):
    assert float(prox_to_signs(tf.constant(w), strength)) == pytest.approx(expected, rel=1e-6)


def test_the_proximal_step_is_the_argmin():
    """½(z − w)² + λ·min|z ∓ 1| on a fine grid of z; what is beyond ±1 is clipped afterwards."""
    z = np.linspace(-2, 2, 40_001)
    for w in GENERATOR.uniform(-1.5, 1.5, 30):
        for strength in (0.0, 0.05, 0.4):
            cost = 0.5 * (z - w) ** 2 + strength * np.minimum(np.abs(z - 1), np.abs(z + 1))
            best = np.clip(z[cost.argmin()], -1, 1)
            assert float(prox_to_signs(tf.constant(w, tf.float32), strength)) == pytest.approx(best, abs=2e-4)


def test_bcgds_blend():
    w = kernels()[0]
    quantized = np.abs(w).mean() * sign(w)
    np.testing.assert_allclose(BlendWithQuantized(0.25)(w), 0.75 * w + 0.25 * quantized, rtol=1e-5)
    np.testing.assert_array_equal(BlendWithQuantized(0.0)(w), w)
    np.testing.assert_allclose(BlendWithQuantized(1.0)(w), quantized, rtol=1e-6)
    blended = BlendWithQuantized(0.3)(w).numpy()  # changes neither signs nor mean magnitude: Q stays
    np.testing.assert_allclose(np.abs(blended).mean() * sign(blended), quantized, rtol=1e-5)


@pytest.mark.parametrize(
    ("mean", "deviation", "loss"), [(0, 1, 1), (3, 1, 8), (0, 5, 1), (1, 2, 0), (-3, 1, 8), (1, 1, 0)]
)
def test_the_distribution_loss_by_hand(mean, deviation, loss):
    assert float(distribution_loss(tf.constant(float(mean)), tf.constant(float(deviation)))) == pytest.approx(loss)


def test_the_distribution_loss_is_a_mean_over_channels_in_training():
    x = GENERATOR.normal(1.5, 0.5, (4, 3, 3, 6)).astype(np.float32)
    layer = DistributionLoss(0.5)
    np.testing.assert_array_equal(layer(x, training=True), x)
    mean, deviation = x.mean((0, 1, 2), np.float64), x.std((0, 1, 2), dtype=np.float64)
    inner = np.maximum(np.minimum(2 - mean - deviation, 2 + mean - deviation), 0) ** 2
    expected = inner + np.maximum(deviation - 4, 0) ** 2 + np.maximum(mean**2 - deviation**2, 0)
    assert float(layer.losses[0]) == pytest.approx(0.5 * expected.mean(), rel=1e-4)
    layer(x)
    assert not layer.losses


def test_bnn_dls_strength_is_shared_and_ends():
    image = tf.keras.Input((6, 6, 8))
    method = methods.create("bnn_dl", strength=3.0, last_share=0.9)
    x = method.conv2d(image, 8, 3, name="one")
    model = tf.keras.Model(image, method.conv2d(x, 8, 3, name="two"))
    schedules = method.schedules(model)
    assert len(schedules) == 2
    assert [float(schedules[0].value(tf.constant(each))) for each in (0.0, 0.89, 0.9, 1.0)] == [1.5, 1.5, 0, 0]


def test_the_loss_aware_scale():
    w = kernels()[0]
    uniform = np.full(w.shape, 0.3, np.float32)
    assert float(loss_aware_scale(w, uniform)) == pytest.approx(np.abs(w).mean(), rel=1e-5)
    d = GENERATOR.uniform(0.1, 2, w.shape).astype(np.float32)
    alpha = float(loss_aware_scale(w, d))
    assert float(loss_aware_scale(w, 7 * d)) == pytest.approx(alpha, rel=1e-5)

    def cost(scale):
        return (d * (w - scale * sign(w)) ** 2).sum()

    assert cost(alpha) < min(cost(0.99 * alpha), cost(1.01 * alpha))


def test_labs_curvature_is_that_of_the_step_before():
    image = tf.keras.Input((4, 4, 3))
    method = methods.create("lab")
    model = tf.keras.Model(image, method.conv2d(image, 2, 3, name="conv"))
    model.compile(method.optimizer(tf.keras.optimizers.Adam(0.01), model), "mse")
    layer, v = model.get_layer("conv"), 0.0
    x, target = (GENERATOR.normal(size=shape).astype(np.float32) for shape in ((8, 4, 4, 3), (8, 4, 4, 2)))
    assert (layer.kernel_quantizer.curvature.numpy() == 1).all()
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - target))
        gradient = tape.gradient(loss, model.trainable_variables)[0].numpy()
        model.train_on_batch(x, target)
        v = 0.999 * v + 0.001 * gradient**2
        np.testing.assert_allclose(layer.kernel_quantizer.curvature, np.sqrt(v) + 1e-8, rtol=1e-2, atol=1e-7)


def test_binary_connects_steps_are_longer():
    """1/√(1.5/(fan_in + fan_out)), both fans with the taps; other variables move as ever; w stays in ±1."""
    image = tf.keras.Input((4, 4, 6))
    method = methods.create("binary_connect")
    model = tf.keras.Model(image, tf.keras.layers.BatchNormalization()(method.conv2d(image, 5, 3, name="conv")))
    twin = tf.keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    model.compile(method.optimizer(tf.keras.optimizers.SGD(1e-4), model), "mse")
    twin.compile(tf.keras.optimizers.SGD(1e-4), "mse")
    x, y = GENERATOR.normal(size=(8, 4, 4, 6)), GENERATOR.normal(size=(8, 4, 4, 5))
    start = model.get_layer("conv").kernel.latent_variable.numpy()
    for each in (model, twin):
        each.train_on_batch(x, y)
    moved, plain = (each.get_layer("conv").kernel.latent_variable.numpy() - start for each in (model, twin))
    factor = 1 / np.sqrt(1.5 / (9 * (6 + 5)))
    np.testing.assert_allclose(moved, factor * plain, rtol=1e-2, atol=1e-7)
    np.testing.assert_allclose(model.layers[-1].gamma, twin.layers[-1].gamma, rtol=1e-6)
    model.optimizer.learning_rate = 1e3
    model.train_on_batch(x, y)
    assert np.abs(model.get_layer("conv").kernel.latent_variable.numpy()).max() == 1
