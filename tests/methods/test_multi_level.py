"""Quantizers of more than two levels, or of levels off the signs, against NumPy."""

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.layers.activation_steps import SymmetricGrid
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign

UPSTREAM = np.linspace(-2, 3, len(X)).astype(np.float32)
GRID = np.linspace(-3, 3, 4801, dtype=np.float32)


def to_variable(quantizer, x, upstream, name):
    """The gradient that a variable of a quantizer gets."""
    with tf.GradientTape() as tape:
        y = quantizer(tf.constant(x))
    return float(tape.gradient(y, getattr(quantizer, name), tf.constant(upstream)))


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_dorefas_activations(bits):
    quantizer, steps = methods.create("dorefa", input_bits=bits).input_quantizer(), 2**bits - 1
    x = GRID[np.abs(np.clip(GRID, 0, 1) * steps % 1 - 0.5) > 1e-5]  # halves may round either way
    y, gradient = forward_and_gradient(quantizer, x)
    np.testing.assert_allclose(y, np.round(np.clip(x, 0, 1) * steps) / steps, atol=1e-6)
    np.testing.assert_array_equal(gradient, (x >= 0) & (x <= 1))
    assert float(methods.create("dorefa").input_quantizer()(tf.constant(0.5))) == 0


@pytest.mark.parametrize("name", ["dorefa", "pact", "bcgd"])
@pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
def test_signs_times_the_mean_of_the_layer_pass_their_gradient_on(name, kernel):
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create(name).kernel_quantizer(), kernel, upstream)
    np.testing.assert_allclose(y, np.abs(kernel).mean() * sign(kernel), rtol=1e-5)
    np.testing.assert_array_equal(gradient, upstream)


@pytest.mark.parametrize("bits", [2, 3])
def test_dorefas_weights_of_more_bits(bits):
    kernel, steps = kernels()[0], 2**bits - 1
    y, gradient = forward_and_gradient(methods.create("dorefa", weight_bits=bits).kernel_quantizer(), kernel)
    limited = np.tanh(kernel.astype(np.float64))
    largest = np.abs(limited).max()
    np.testing.assert_allclose(y, 2 * np.round((limited / (2 * largest) + 0.5) * steps) / steps - 1, atol=1e-6)
    np.testing.assert_allclose(gradient, (1 - limited**2) / largest, rtol=1e-4)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("alpha", [0.75, 10.0])
def test_pacts_activations(bits, alpha):
    quantizer, steps = methods.create("pact", input_bits=bits, alpha=alpha).input_quantizer(), 2**bits - 1
    x = np.concatenate([X[np.abs(X) < 10], np.linspace(-1, 12, 977, dtype=np.float32)])
    upstream = np.random.default_rng(0).normal(size=x.shape).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, x, upstream)
    clipped = 0.5 * (np.abs(x) - np.abs(x - alpha) + alpha)
    np.testing.assert_allclose(clipped, np.clip(x, 0, alpha), atol=1e-5)
    certain = np.abs(clipped / alpha * steps % 1 - 0.5) > 1e-4
    np.testing.assert_allclose(y[certain], (np.round(clipped / alpha * steps) * alpha / steps)[certain], atol=1e-5)
    np.testing.assert_array_equal(gradient, upstream * ((x >= 0) & (x < alpha)))
    assert to_variable(quantizer, x, upstream, "alpha") == pytest.approx(upstream[x >= alpha].sum(), rel=1e-4)
    doubled = methods.create("pact", input_bits=bits, alpha=2 * alpha).input_quantizer()
    np.testing.assert_allclose(doubled(2 * x), 2 * y, rtol=1e-6)
    assert len(np.unique(np.round(y, 4))) <= 2**bits


def test_pact_regularizes_its_alpha():
    quantizer = methods.create("pact", alpha=3.0, decay=0.25).input_quantizer()
    quantizer(tf.zeros((1, 2)))
    assert [float(loss) for loss in quantizer.losses] == [pytest.approx(0.25 * 9)]
    assert not methods.create("pact", decay=0.0).input_quantizer().losses


def test_hwgqs_activations():
    x = np.concatenate([X, GRID, np.float32([0.807, 1.345, 1.614])])
    y, gradient = forward_and_gradient(methods.create("hwgq").input_quantizer(), x)
    expected = 0.538 * ((x > 0) * 1 + (x > np.float32(0.807)) + (x > np.float32(1.345)))
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    np.testing.assert_array_equal(gradient, (x > 0) & (x <= np.float32(1.614)))


def test_hwgqs_step_is_the_best_for_half_a_gaussian():
    x = np.abs(np.random.default_rng(0).normal(size=400_000))

    def error(step):
        levels = step * np.arange(1, 4)  # anything above 0 is at least a step
        return (np.abs(x[:, None] - levels).min(1) ** 2).mean()

    assert error(0.538) < min(error(0.45), error(0.50), error(0.58), error(0.65))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_bcgds_activations(bits):
    quantizer, most = methods.create("bcgd", input_bits=bits).input_quantizer(), 2**bits - 1
    step = float(quantizer.step)
    x = np.concatenate([X[np.abs(X) < 10], GRID])
    upstream = np.random.default_rng(0).normal(size=x.shape).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, x, upstream)
    ratio = x.astype(np.float64) / step
    certain = np.abs(ratio - np.round(ratio)) > 1e-6
    np.testing.assert_allclose(y[certain], (step * np.clip(np.ceil(ratio), 0, most))[certain], rtol=1e-5)
    inside, above = (x > 0) & (ratio <= most), ratio > most
    np.testing.assert_array_equal(gradient[certain], (upstream * inside)[certain])
    expected = 0.01 * (upstream * (inside * 2 ** (bits - 1) + above * most)).sum()
    assert to_variable(quantizer, x, upstream, "step") == pytest.approx(np.clip(expected, -1, 1), rel=1e-3)


def test_ceiled_steps_by_hand():
    """Of the authors' code with α = ½ and two bits: any number above 0 is at least ½, the top is 1.5."""
    quantizer = methods.create("bcgd").input_quantizer()
    quantizer.step.assign(0.5)
    np.testing.assert_array_equal(quantizer(tf.constant([0.1, 0.0, 0.51, 9.0, -1.0])), [0.5, 0, 1, 1.5, 0])


def test_tbns_activations():
    quantizer = methods.create("tbn").input_quantizer()
    assert float(quantizer.delta) == pytest.approx(0.5 * 0.7979)
    quantizer.delta.assign(0.5)
    y, gradient = forward_and_gradient(quantizer, X)
    np.testing.assert_array_equal(y, np.where(X >= 0.5, 1, np.where(X < -0.5, -1, 0)))  # at -½ itself 0
    np.testing.assert_array_equal(gradient, np.abs(X) <= 1)
    np.testing.assert_array_equal(y, (sign(X - 0.5) + sign(X + 0.5)) / 2)
    x = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)
    own = 0.5 * np.abs(x).mean()
    np.testing.assert_array_equal(quantizer(x, training=True), np.where(x >= own, 1, np.where(x < -own, -1, 0)))
    assert float(quantizer.delta) == pytest.approx(0.99 * 0.5 + 0.01 * own, rel=1e-5)


@pytest.mark.parametrize("bits", [2, 3])
def test_wrpns_weights_of_more_bits(bits):
    steps = 2 ** (bits - 1) - 1
    x = np.concatenate([X, GRID])
    y, gradient = forward_and_gradient(SymmetricGrid(bits), x)
    np.testing.assert_allclose(y, np.round(np.clip(x, -1, 1) * steps) / steps, atol=1e-6)
    np.testing.assert_array_equal(gradient, np.abs(x) <= 1)


def test_wrpn_widens_layers():
    image = tf.keras.Input((8, 8, 16))
    for widen in (1, 3):
        method = methods.create("wrpn", widen=widen)
        x = method.conv2d(image, 8, 3, name="one")
        model = tf.keras.Model(image, method.conv2d(x, 8, 3, name="two"))
        assert [layer.count_params() for layer in model.layers if layer.weights] == [
            9 * 16 * 8 * widen,
            9 * 8 * 8 * widen**2,
        ]
    y, _ = forward_and_gradient(methods.create("wrpn").kernel_quantizer(), kernels()[0])
    np.testing.assert_allclose(
        filters(y), np.abs(filters(kernels()[0])).mean(0) * sign(filters(kernels()[0])), rtol=1e-5
    )


def nearest_level(x, basis, lowest):
    """By trying every code: the levels and codes of the nearest, in float64; the lower one of two."""
    bits = len(basis)
    every = np.array([[1.0 if i >> b & 1 else lowest for b in range(bits)] for i in range(2**bits)])
    levels = every @ basis
    order = np.argsort(levels, kind="stable")
    place = np.abs(x[:, None] - levels[order]).argmin(1)
    return levels[order][place], every[order][place]


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_lq_nets_weights(bits):
    kernel = kernels()[0]
    quantizer = methods.create("lq_nets", weight_bits=bits).kernel_quantizer()
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, kernel, upstream)
    np.testing.assert_array_equal(gradient, upstream)
    basis = np.array(quantizer.basis)
    start = 0.6745 * np.sqrt(2 / (9 * 5)) / 2 ** (bits - 1)
    np.testing.assert_allclose(basis, np.tile(start * 2.0 ** np.arange(bits), (5, 1)), rtol=1e-5)
    w = filters(kernel)
    for channel in range(5):
        levels, _ = nearest_level(w[:, channel], basis[channel], -1.0)
        np.testing.assert_allclose(filters(y)[:, channel], levels, rtol=1e-4, atol=1e-6)
    errors = []
    for _ in range(60):
        before = np.array(quantizer.basis, np.float64)
        y = quantizer(kernel, training=True)
        errors.append(((filters(np.asarray(y)) - w) ** 2).sum())
        for channel in range(5):
            _, chosen = nearest_level(w[:, channel], before[channel], -1.0)
            ridge = 1e-4 * len(w) + 1e-6
            fit = np.linalg.solve(
                chosen.T @ chosen + ridge * np.eye(bits), chosen.T @ w[:, channel] + ridge * before[channel]
            )
            np.testing.assert_allclose(
                quantizer.basis[channel], 0.9 * before[channel] + 0.1 * fit, rtol=1e-3, atol=1e-5
            )
    assert errors[-1] < 0.8 * errors[0]
    if bits == 1:  # least squares of signs: the mean magnitude
        np.testing.assert_allclose(quantizer.basis[:, 0], np.abs(w).mean(0), rtol=1e-2)


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_lq_nets_activations(bits):
    quantizer = methods.create("lq_nets", input_bits=bits).input_quantizer()
    basis = np.array(quantizer.basis)
    np.testing.assert_allclose(basis, 0.6745 * 2 / (2**bits - 1) * 2.0 ** np.arange(bits), rtol=1e-6)
    y, gradient = forward_and_gradient(quantizer, GRID)
    levels, _ = nearest_level(np.maximum(GRID, 0).astype(np.float64), basis, 0.0)
    middles = np.abs(np.abs(GRID[:, None] - np.unique(levels)).min(1) - basis[0] / 2) < 1e-5
    np.testing.assert_allclose(y[~middles], levels[~middles], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(gradient, (GRID > 0) & (basis.sum(dtype=np.float32) >= GRID))
    x = np.maximum(np.random.default_rng(0).normal(size=(4, 5, 6, 7)), 0).astype(np.float32)
    quantizer(x, training=True)
    _, chosen = nearest_level(x.ravel().astype(np.float64), basis, 0.0)
    fit = np.linalg.lstsq(chosen, x.ravel(), rcond=None)[0]
    np.testing.assert_allclose(quantizer.basis, 0.9 * basis + 0.1 * fit, rtol=1e-4)


def test_lq_nets_bears_codes_that_never_occur():
    quantizer = methods.create("lq_nets", input_bits=3).input_quantizer()
    before = np.array(quantizer.basis)
    quantizer(np.zeros((2, 3, 3, 4), np.float32), training=True)
    np.testing.assert_allclose(quantizer.basis, before, rtol=1e-4)
