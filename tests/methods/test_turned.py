"""Bitwise, Group-Net, RBNN and A&B BNN: quantizers and what stands around the layer, against NumPy."""

import math

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.layers.add_and_bit import PowerOfTwoPReLU
from mobile_bnn.layers.group_bases import SumOfBases
from mobile_bnn.layers.rotated import RotatedSign, best_rotations, nearest_square
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign

GENERATOR = np.random.default_rng(0)
KERNELS = pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
UPSTREAM = np.linspace(-2, 3, len(X)).astype(np.float32)


@pytest.mark.parametrize("what", ["kernel_quantizer", "input_quantizer"])
def test_bitwises_phases(what):
    method = methods.create("bitwise")
    first, second = method.phases()
    slope = UPSTREAM * (1 - np.tanh(X.astype(np.float64)) ** 2)
    for phase, expected in ((first, np.tanh(X.astype(np.float64))), (second, sign(X))):
        y, gradient = forward_and_gradient(getattr(method.in_phase(phase), what)(), X, UPSTREAM)
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-30)
        np.testing.assert_allclose(gradient, slope, rtol=1e-3, atol=1e-5)
    assert len(methods.create("bitwise", compressed=0.0).phases()) == 1


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_bitwises_zeros(share):
    kernel = kernels()[0]
    y = np.asarray(methods.create("bitwise", zeros=share).kernel_quantizer()(kernel))
    assert (y == 0).sum() == int(share * kernel.size)
    beta = np.sort(np.abs(kernel).ravel())[int(share * kernel.size)]
    np.testing.assert_array_equal(y, np.where(np.abs(kernel) < beta, 0, sign(kernel)))
    steep = np.tanh(1e6 * kernel.astype(np.float64))  # tanh(cw) for c → ∞ is what is left without zeros
    np.testing.assert_allclose(methods.create("bitwise").kernel_quantizer()(kernel), steep, atol=1e-6)


def test_group_nets_weights():
    kernel = GENERATOR.normal(size=(3, 3, 4, 15)).astype(np.float32)
    kernel[..., :5] *= 7
    kernel[..., 5:10] = 0
    upstream = GENERATOR.normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create("group_net", count=3).kernel_quantizer(), kernel, upstream)
    bases = np.split(kernel, 3, -1)
    expected = np.concatenate([np.abs(base).mean() * sign(base) for base in bases], -1)
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    np.testing.assert_array_equal(gradient, upstream)


def test_group_nets_sums():
    y = GENERATOR.normal(size=(2, 3, 4, 12)).astype(np.float32)
    np.testing.assert_allclose(SumOfBases(4)(y), np.mean(np.split(y, 4, -1), 0), rtol=1e-5, atol=1e-6)
    layer = SumOfBases(4, learned=True)
    np.testing.assert_allclose(layer(y), np.mean(np.split(y, 4, -1), 0), rtol=1e-5, atol=1e-6)
    factors = np.float32([0.5, -1, 2, 0])
    layer.set_weights([factors])
    np.testing.assert_allclose(layer(y), np.einsum("nhwkc,k->nhwc", y.reshape(2, 3, 4, 4, 3), factors), rtol=1e-5)


@pytest.mark.parametrize("bases", ["groups", "layers"])
def test_group_nets_layer(bases):
    """The bases one by one, as convolutions of their own; equal bases give the output of one."""
    image = tf.keras.Input((6, 5, 8))
    model = tf.keras.Model(image, methods.create("group_net", count=3, bases=bases).conv2d(image, 4, 3, name="conv"))
    kernel = GENERATOR.normal(size=(3, 3, 8, 12)).astype(np.float32)
    model.get_layer("conv").kernel.latent_variable.assign(kernel)
    x = GENERATOR.normal(size=(2, 6, 5, 8)).astype(np.float32)

    def one(base):
        plain = tf.keras.Model(image, methods.create("bnn").conv2d(image, 4, 3, name="conv"))
        plain.set_weights([base])
        y = np.abs(base).mean() * plain(x).numpy()
        return np.maximum(y, 0) / np.sqrt(1.001) if bases == "groups" else y

    singles = [one(base) for base in np.split(kernel, 3, -1)]
    np.testing.assert_allclose(model(x), np.mean(singles, 0), rtol=1e-4, atol=1e-4)
    model.get_layer("conv").kernel.latent_variable.assign(np.tile(kernel[..., :4], (1, 1, 1, 3)))
    np.testing.assert_allclose(model(x), singles[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("count", "sides"), [(1, (1, 1)), (7, (1, 7)), (36, (6, 6)), (288, (16, 18)), (576, (24, 24))])
def test_rbnns_sides(count, sides):
    assert nearest_square(count) == sides


def test_rbnns_rotations_are_orthogonal_and_bring_filters_nearer_to_their_signs():
    x = GENERATOR.normal(size=(8, 4, 9))
    first, second = (np.linalg.qr(GENERATOR.normal(size=(side, side)))[0] for side in (4, 9))

    def toward(first, second):
        return np.abs(np.einsum("ji,fjk,kl->fil", first, x, second)).sum()

    found = [each.numpy() for each in best_rotations(*map(tf.constant, (x, first, second)))]
    for each in found:
        np.testing.assert_allclose(each.T @ each, np.eye(len(each)), atol=1e-9)
    assert toward(*found) > toward(first, second)
    again = [each.numpy() for each in best_rotations(*map(tf.constant, (x, *found)))]
    assert toward(*again) >= toward(*found) - 1e-9
    # The rounds by hand, with NumPy's singular vectors.
    for _ in range(3):
        b = sign(np.einsum("ji,fjk,kl->fil", first, x, second))
        u, _, vt = np.linalg.svd(sum(bi @ second.T @ xi.T for bi, xi in zip(b, x, strict=True)))
        first = vt.T @ u.T
        u, _, vt = np.linalg.svd(sum(xi.T @ first @ bi for bi, xi in zip(b, x, strict=True)))
        second = u @ vt
    np.testing.assert_allclose(found[0], first, atol=1e-8)
    np.testing.assert_allclose(found[1], second, atol=1e-8)


@pytest.mark.parametrize("t", [0.01, 3.0])
@pytest.mark.parametrize("angle", [0.0, 0.7, math.pi / 2])
def test_rbnns_weights(angle, t):
    kernel = GENERATOR.normal(0.3, 0.6, (3, 3, 4, 5)).astype(np.float32)
    quantizer = RotatedSign()
    quantizer.t.assign(t)
    quantizer(kernel)
    quantizer.angle.assign([angle] * 5)
    upstream = GENERATOR.normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, kernel, upstream)
    w = filters(kernel)
    standard = (w - w.mean(0)) / w.std(0, ddof=1)
    rotation = np.kron(quantizer.first.numpy(), quantizer.second.numpy()).T
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(36), atol=1e-5)
    blended = standard + abs(math.sin(angle)) * (rotation @ standard - standard)
    certain = np.abs(blended) > 1e-5
    np.testing.assert_array_equal(filters(y)[certain], sign(blended)[certain])
    slope = max(1 / t, 1) * np.maximum(math.sqrt(2) * t - t**2 * np.abs(blended), 0)
    inner = filters(upstream) * slope
    along = (standard * inner).sum(0) / (len(w) - 1)
    np.testing.assert_allclose(
        filters(gradient), (inner - inner.mean(0) - standard * along) / w.std(0, ddof=1), rtol=2e-3, atol=2e-3
    )


def test_rbnns_angle_is_learned():
    """dθ = Σ g·slope·(Rŵ − ŵ)·cos θ of each filter, for sin θ > 0."""
    kernel = GENERATOR.normal(size=(3, 3, 4, 5)).astype(np.float32)
    quantizer = RotatedSign(1.0)
    quantizer(kernel)
    quantizer.angle.assign(np.linspace(0.2, 1.2, 5))
    upstream = GENERATOR.normal(size=kernel.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        y = quantizer(tf.constant(kernel))
    found = tape.gradient(y, quantizer.angle, tf.constant(upstream)).numpy()
    w, theta = filters(kernel), np.linspace(0.2, 1.2, 5)
    standard = (w - w.mean(0)) / w.std(0, ddof=1)
    difference = np.kron(quantizer.first.numpy(), quantizer.second.numpy()).T @ standard - standard
    slope = np.maximum(math.sqrt(2) - np.abs(standard + np.sin(theta) * difference), 0)
    np.testing.assert_allclose(
        found, (filters(upstream) * slope * difference).sum(0) * np.cos(theta), rtol=1e-3, atol=1e-3
    )


@KERNELS
def test_rbnn_bears_every_kernel(kernel):
    y, gradient = forward_and_gradient(methods.create("rbnn").kernel_quantizer(), kernel)
    assert set(np.unique(y)) <= {-1, 1}
    assert np.isfinite(gradient).all()


def test_rbnns_rotation_is_renewed_when_the_schedule_says_so():
    method = methods.create("rbnn", renewals=4)
    assert [float(method.renewal(tf.constant(each))) for each in (0.0, 0.24, 0.26, 1.0)] == [1, 1, 2, 5]
    assert [float(method.t_of_inputs(tf.constant(each))) for each in (0.0, 1.0)] == [1, pytest.approx(10)]
    kernel = tf.constant(GENERATOR.normal(size=(3, 3, 4, 5)).astype(np.float32))
    quantizer = method.kernel_quantizer()
    quantizer(kernel)
    before = quantizer.first.numpy()
    quantizer.renewal.assign(1.0)
    quantizer(kernel)  # not at inference
    np.testing.assert_array_equal(quantizer.first, before)
    quantizer(kernel, training=True)
    renewed = quantizer.first.numpy()
    assert np.abs(renewed - before).max() > 0.01
    quantizer(kernel, training=True)
    np.testing.assert_array_equal(quantizer.first, renewed)
    quantizer.renewal.assign(2.0)
    quantizer(-kernel + 0.1, training=True)
    assert float(quantizer.renewed) == 2
    assert np.abs(quantizer.first.numpy() - renewed).max() > 1e-4


@pytest.mark.parametrize("kernel", kernels()[:3], ids=["random", "dead", "edges"])
def test_ab_bnns_weights(kernel):
    upstream = GENERATOR.normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create("ab_bnn").kernel_quantizer(), kernel, upstream)
    w = filters(kernel)
    deviation, count = w.std(0), len(w)
    v = (w - w.mean(0)) / (deviation + 1e-5) / math.sqrt(count)
    certain = np.abs(v) > 1e-6
    np.testing.assert_allclose(np.abs(filters(y)), np.broadcast_to(np.abs(v).mean(0), v.shape), rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(np.sign(filters(y))[certain], np.sign(v)[certain])
    inner = filters(upstream) * (np.abs(v) <= 1) / math.sqrt(count)
    # d (w_j − μ)/(σ + ε) / d w_i = (δ_ij − 1/n)/(σ + ε) − (w_j − μ)(w_i − μ)/(n·σ·(σ + ε)²)
    shifted = w - w.mean(0)
    through = np.divide((inner * shifted).sum(0), count * deviation, out=np.zeros(len(deviation)), where=deviation > 0)
    expected = (inner - inner.mean(0)) / (deviation + 1e-5) - shifted * through / (deviation + 1e-5) ** 2
    alive = deviation > 1e-6
    np.testing.assert_allclose(filters(gradient)[:, alive], expected[:, alive], rtol=1e-3, atol=1e-4)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("mask", [1.0, 0.5])
def test_ab_bnns_activations(mask):
    quantizer = methods.create("ab_bnn", mask=mask).input_quantizer()
    x, upstream = X[:, None] * np.float32([1, 1]), np.stack([UPSTREAM, -UPSTREAM], 1)
    quantizer(x)
    quantizer.shift.assign([0.0, -0.6])
    y, gradient = forward_and_gradient(quantizer, x, upstream)
    z = mask * x + np.float32([0, -0.6])
    np.testing.assert_array_equal(y, sign(z))
    decay = np.exp(-3 * np.abs(z.astype(np.float64)))
    slope = 6 * decay / (1 + decay) ** 2  # 2·3σ(3z)(1 − σ(3z))
    np.testing.assert_allclose(gradient, upstream * mask * slope, rtol=1e-4, atol=1e-6)


def test_ab_bnns_shortcut():
    x, y = tf.keras.Input((4, 4, 3)), tf.keras.Input((4, 4, 3))
    model = tf.keras.Model([x, y], methods.create("ab_bnn").shortcut(x, y, name="sum"))
    before, after, exponent = (GENERATOR.normal(size=3).astype(np.float32) for _ in range(3))
    model.get_layer("sum_rprelu").set_weights([before, after, 4 * exponent])
    a, b = (GENERATOR.normal(size=(2, 4, 4, 3)).astype(np.float32) for _ in range(2))
    z = 0.25 * b + a + before
    expected = np.where(z >= 0, z, 2.0 ** np.round(4 * exponent) * z) + after
    np.testing.assert_allclose(model([a, b]), expected, rtol=1e-5, atol=1e-6)
    layer = PowerOfTwoPReLU()
    with tf.GradientTape() as tape:
        value = layer(tf.constant(a))
    found = tape.gradient(value, layer.exponent).numpy()
    np.testing.assert_allclose(found, (math.log(2) / 8 * np.minimum(a, 0)).sum((0, 1, 2)), rtol=1e-4)


@pytest.mark.parametrize("name", ["ab_bnn", "abc_net", "bitwise", "bwnh", "group_net", "horq", "rbnn", "syq", "tsq"])
def test_half_precision_keeps_its_type_and_float32_variables(name):
    method = methods.create(name)
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        image = tf.keras.Input((4, 4, 8))
        y = method.shortcut(image, method.conv2d(image, 8, 3, name="conv"), name="sum")
        model = tf.keras.Model(image, y)
        x = tf.constant(GENERATOR.normal(size=(2, 4, 4, 8)).astype(np.float32))
        with tf.GradientTape() as tape:
            y = model(x, training=True)
            loss = tf.reduce_mean(tf.cast(y, tf.float32) ** 2)
        gradients = tape.gradient(loss, model.trainable_weights)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert y.dtype == tf.float16
    assert all(weight.dtype == tf.float32 for weight in model.weights)
    assert np.isfinite(y).all()
    assert all(np.isfinite(each).all() for each in gradients if each is not None)
    assert gradients[[weight.name for weight in model.trainable_weights].index("conv/kernel:0")] is not None
