"""Methods that take several signs of one tensor, against NumPy: ABC-Net, HORQ."""

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.layers.multiple_bases import FittedBases, shifted_signs
from mobile_bnn.layers.residual_signs import residual_signs
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign

KERNELS = pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
GRID = np.concatenate([X[np.abs(X) < 1e3], np.linspace(-2, 2, 1601, dtype=np.float32)])


def model_of(method, shape=(6, 5, 8), **options):
    image = tf.keras.Input(shape)
    return tf.keras.Model(image, method.conv2d(image, 4, 3, name="conv", **options))


def shifted(w, count):
    """ABC-Net's bases of one filter in float64, [n, count]."""
    shifts = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
    return np.stack([sign(w - w.mean() + shift * w.std()) for shift in shifts], 1)


@KERNELS
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_abc_nets_weights(count, kernel):
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    quantizer = methods.create("abc_net", weight_bases=count).kernel_quantizer()
    y, gradient = forward_and_gradient(quantizer, kernel, upstream)
    rows = (filters(each).T for each in (kernel, y, gradient, upstream))
    for w, values, got, dy, found in zip(*rows, shifted_signs(kernel, count).numpy(), strict=True):
        bases, certain = shifted(w, count), np.ones((len(w), count), bool)
        if w.std() > 1e-6:  # a weight on a threshold may be rounded to either side
            thresholds = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
            certain = np.abs((w - w.mean())[:, None] + w.std() * thresholds) > 1e-5
        np.testing.assert_array_equal(found[certain], bases[certain])
        bases = np.where(certain, bases, found)
        alpha = np.linalg.lstsq(bases, w, rcond=None)[0]
        np.testing.assert_allclose(values, bases @ alpha, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(got, dy * alpha.sum() * (np.abs(w) <= 1), rtol=1e-3, atol=1e-4)


def test_abc_nets_factors_leave_a_rest_that_no_base_explains():
    """Bᵀ(w − Bα) = 0; a further base never makes the error larger; one base of M = 1 has α = b·w/n."""
    kernel = np.random.default_rng(0).normal(size=(3, 3, 16, 8)).astype(np.float32)
    w = filters(kernel)
    for count in (1, 3, 5):
        rest = w - filters(FittedBases(count)(kernel).numpy())
        for each, left in zip(w.T, rest.T, strict=True):
            np.testing.assert_allclose(shifted(each, count).T @ left / len(each), 0, atol=1e-4)
    errors = [(filters(FittedBases(count)(kernel).numpy()) - w).var() for count in (1, 3, 5)]
    assert errors == sorted(errors, reverse=True)
    mean, one = w.mean(0), filters(FittedBases(1)(kernel).numpy())
    b = sign(w - mean)
    np.testing.assert_allclose(one, b * (np.abs(w - mean).mean(0) + mean * b.mean(0)), rtol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_abc_nets_activations(count):
    quantizer = methods.create("abc_net", input_bases=count).input_quantizer()
    starts = np.linspace(-0.5, 0.5, count) if count > 1 else [0.0]
    np.testing.assert_allclose(quantizer.shifts, starts)
    np.testing.assert_allclose(quantizer.factors, 1 / count)
    generator = np.random.default_rng(count)
    v, beta = (generator.uniform(-1, 1, count).astype(np.float32) for _ in range(2))
    quantizer.shifts.assign(v)
    quantizer.factors.assign(beta)
    upstream = generator.normal(size=GRID.shape).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, GRID, upstream)
    moved = GRID[:, None] + v
    h = np.where(np.clip(moved, 0, 1) >= 0.5, 1, -1)
    inside = (moved >= 0) & (moved <= 1)
    np.testing.assert_allclose(y, h @ beta, atol=1e-6)
    np.testing.assert_allclose(gradient, upstream * (inside @ beta), rtol=1e-5, atol=1e-6)
    with tf.GradientTape() as tape:
        y = quantizer(tf.constant(GRID))
    to_factors, to_shifts = tape.gradient(y, [quantizer.factors, quantizer.shifts], tf.constant(upstream))
    np.testing.assert_allclose(to_factors, upstream @ h, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(to_shifts, beta * (upstream @ inside), rtol=1e-4, atol=1e-3)


def residuals(x, order):
    """HORQ's β and H of each sample in float64."""
    terms, rest = [], x.astype(np.float64)
    for _ in range(order):
        beta = np.abs(rest).mean(tuple(range(1, x.ndim)), keepdims=True)
        terms.append((beta, sign(rest), rest))
        rest = rest - beta * sign(rest)
    return terms


@pytest.mark.parametrize("shape", [(3, 5, 4, 6), (2, 7), (1, 1)])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_horqs_signs(order, shape):
    x = np.random.default_rng(order).normal(size=shape).astype(np.float32)
    x.flat[0] = -0.0
    upstream = np.random.default_rng(9).normal(size=shape).astype(np.float32)
    expected = residuals(x, order)
    for (beta, h), (wanted, signs, rest) in zip(residual_signs(tf.constant(x), order), expected, strict=True):
        np.testing.assert_allclose(beta, wanted, rtol=1e-4, atol=1e-6)
        certain = np.abs(rest) > 1e-5
        np.testing.assert_array_equal(h.numpy()[certain], signs[certain])
    if order > 2 or x.size == 1:
        return  # what is left comes near 0, where float32 decides
    _, gradient = forward_and_gradient(lambda x: tf.add_n([b * h for b, h in residual_signs(x, order)]), x, upstream)
    slope, total = np.ones(shape), np.zeros(shape)  # dR_{i−1}/dx, and dy/dx
    for beta, _, rest in expected:
        step = beta * (np.abs(rest) <= 1) * slope
        total, slope = total + step, slope - step
    np.testing.assert_allclose(gradient, upstream * total, rtol=1e-4, atol=1e-5)


def test_each_order_of_horq_takes_n_beta_squared_off_the_error():
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 8)).astype(np.float32)
    terms = residual_signs(tf.constant(x), 4)
    rest = x.astype(np.float64)
    for beta, h in terms:
        before = (rest**2).sum((1, 2, 3))
        rest = rest - (beta * h).numpy()
        np.testing.assert_allclose((rest**2).sum((1, 2, 3)), before - 6 * 6 * 8 * np.ravel(beta) ** 2, rtol=1e-4)
    (beta, _), (left, _) = residual_signs(tf.constant(0.25 * sign(x).astype(np.float32)), 2)
    np.testing.assert_array_equal(np.ravel(beta), 0.25)  # a multiple of signs leaves nothing
    np.testing.assert_array_equal(np.ravel(left), 0)


@pytest.mark.parametrize("options", [{}, {"strides": 2}, {"padding": "valid"}, {"groups": 2}, {"dilation": 2}])
def test_horqs_layer_is_the_sum_of_its_convolutions(options):
    model = model_of(methods.create("horq"), **options)
    plain = model_of(methods.create("bnn"), **options)
    kernel = np.random.default_rng(0).normal(size=model.get_weights()[0].shape).astype(np.float32)
    model.set_weights([kernel])
    plain.set_weights([kernel])
    x = np.random.default_rng(1).normal(size=(2, 6, 5, 8)).astype(np.float32)
    expected = sum(np.float32(beta) * plain(h.astype(np.float32)).numpy() for beta, h, _ in residuals(x, 2)) * np.abs(
        filters(kernel)
    ).mean(0)
    np.testing.assert_allclose(model(x), expected, rtol=1e-3, atol=1e-3)


def test_horqs_first_layer_and_float_phase_are_plain():
    method = methods.create("horq")
    assert type(model_of(method, binary_input=False).get_layer("conv")).__name__ == "QuantConv2D"
    assert model_of(method).get_layer("conv").get_config()["order"] == 2
