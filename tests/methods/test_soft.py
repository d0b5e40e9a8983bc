"""Quantizers that are soft while they train: values, derivatives, temperatures, and the step at the end."""

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign

NEAR = X[np.abs(X) < 10].astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -60, 60)))


SOFT = {
    "scaled_tanh": (lambda z: np.tanh(z), lambda z: 1 / np.cosh(np.clip(z, -300, 300)) ** 2),
    "shifted_sigmoid": (lambda z: 2 * sigmoid(z) - 1, lambda z: 2 * sigmoid(z) * (1 - sigmoid(z))),
    "soft_sign": (lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
}


@pytest.mark.parametrize("slope", [0.5, 1.0, 20.0])
@pytest.mark.parametrize(
    ("name", "options"), [("self_binarizing", {}), *(("improved_training", {"function": f}) for f in SOFT)]
)
def test_soft_signs(name, options, slope):
    quantizer = methods.create(name, **options).input_quantizer()
    quantizer.slope.assign(slope)
    value, derivative = SOFT[options.get("function", "scaled_tanh")]
    z = slope * NEAR.astype(np.float64)
    y, gradient = forward_and_gradient(lambda x: quantizer(x, training=True), NEAR)
    np.testing.assert_allclose(y, value(z), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradient, slope * derivative(z), rtol=2e-3, atol=2e-5)
    np.testing.assert_array_equal(quantizer(X), sign(X))
    far = np.float32([-1, 1]) * (9 if slope * 9 > 8 else 100) / slope
    if options.get("function") != "soft_sign":
        np.testing.assert_allclose(quantizer(8.5 * far / 9, training=True), sign(far), atol=1e-3)


def test_the_slopes_grow_geometrically():
    method = methods.create("self_binarizing", slope=2.0, last_slope=200.0)
    assert [method.slope_at(each) for each in (0.0, 0.5, 1.0)] == pytest.approx([2, 20, 200])
    method = methods.create("improved_training")
    assert [method.slope_at(each) for each in (0.0, 0.5, 1.0)] == pytest.approx([1, 2**8, 2**16])


def curve(x, low, high, alpha):
    """φ of DSQ and its derivative, from its definition."""
    k = np.log(2 / alpha - 1) / (high - low)
    middle = (low + high) / 2
    scale = 1 / np.tanh(k * (high - low) / 2)
    return scale * np.tanh(k * (x - middle)), scale * k / np.cosh(k * (x - middle)) ** 2


@pytest.mark.parametrize(("low", "high", "alpha"), [(-1, 1, 0.2), (-0.5, 1.5, 0.05), (-2, 0.25, 0.4)])
def test_dsq(low, high, alpha):
    value, _ = curve(np.array([low, (low + high) / 2, high]), low, high, alpha)
    np.testing.assert_allclose(value, [-1, 0, 1], atol=1e-12)
    assert alpha == pytest.approx(1 - np.tanh(np.log(2 / alpha - 1) / 2))  # what the formula of k inverts
    quantizer = methods.create("dsq").input_quantizer()
    for name, start in (("low", low), ("high", high), ("alpha", alpha)):
        getattr(quantizer, name).assign(start)
    x = np.linspace(low - 1, high + 1, 801, dtype=np.float32) + np.float32(0.0003)
    y, gradient = forward_and_gradient(quantizer, x)
    np.testing.assert_allclose(y, np.where(x >= (low + high) / 2, high, low), atol=1e-6)
    inside = (x > low) & (x < high)
    slope = (high - low) / 2 * curve(x.astype(np.float64), low, high, alpha)[1]
    np.testing.assert_allclose(gradient, slope * inside, rtol=1e-3, atol=1e-4)


def test_dsqs_ends_and_sharpness_are_learned():
    """By differences of the soft curve, which stands for the hard step."""
    quantizer, start = methods.create("dsq").input_quantizer(), {"low": -1.0, "high": 1.0, "alpha": 0.2}
    x = np.linspace(-0.9, 0.9, 7, dtype=np.float32)

    def soft(low, high, alpha):
        return ((low + high) / 2 + (high - low) / 2 * curve(x.astype(np.float64), low, high, alpha)[0]).sum()

    for name, value in start.items():
        with tf.GradientTape() as tape:
            y = quantizer(tf.constant(x))
        step = 1e-4
        moved = [soft(**{**start, name: value + each}) for each in (step, -step)]
        gradient = float(tape.gradient(y, getattr(quantizer, name)))
        assert gradient == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-2, abs=1e-3)
    assert not methods.create("dsq", symmetric=True).input_quantizer().low.trainable


@pytest.mark.parametrize("temperature", [1.0, 5.0, 200.0])
def test_quantization_networks(temperature):
    method = methods.create("quantization_networks", beta=2.0)
    for quantizer, levels in ((method.kernel_quantizer(), (-0.5, 0.5)), (method.input_quantizer(), (0.0, 0.5))):
        quantizer.temperature.assign(temperature)
        bias = 0.0 if levels[0] else 0.5
        argument = 2.0 * NEAR.astype(np.float64) - bias
        y, gradient = forward_and_gradient(lambda x, q=quantizer: q(x, training=True), NEAR)
        soft = sigmoid(temperature * argument)
        span = levels[1] - levels[0]
        np.testing.assert_allclose(y, levels[0] + span * soft, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(gradient, span * soft * (1 - soft) * temperature * 2.0, rtol=5e-3, atol=1e-3)
        hard = quantizer(NEAR).numpy()
        np.testing.assert_array_equal(hard, np.where(argument > 0, levels[1], levels[0]))  # strictly
        certain = np.abs(argument) * temperature > 20
        np.testing.assert_allclose(y[certain], hard[certain], atol=1e-6)


def test_quantization_networks_temperature_grows_linearly():
    method = methods.create("quantization_networks", temperature=2.0, last_temperature=10.0)
    assert [method.temperature_at(each) for each in (0.0, 0.25, 1.0)] == [2, 4, 10]


@pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
def test_recus_weights(kernel):
    quantizer, tau = methods.create("recu").kernel_quantizer(), 0.9
    quantizer.tau.assign(tau)
    w, upstream = filters(kernel), np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    n = len(w)
    centred = w - w.mean(0)
    deviation = np.sqrt((centred**2).sum(0) / max(n - 1, 1) + 1e-5)
    standard = 2 * np.sqrt(2) * centred / deviation
    bound = -np.abs(standard).mean() * np.log(2 - 2 * tau)
    y, gradient = forward_and_gradient(quantizer, kernel, upstream)
    certain = np.abs(standard) > 1e-5
    np.testing.assert_array_equal(filters(y)[certain], sign(standard)[certain])
    if bound == 0:
        return
    inner = filters(upstream) * (np.abs(standard) < bound)
    # Through the standardization: its mean, and its deviation.
    outer = inner * 2 * np.sqrt(2) / deviation
    through = (inner * standard).sum(0) / (max(n - 1, 1) * deviation**2)
    np.testing.assert_allclose(filters(gradient), outer - outer.mean(0) - centred * through, rtol=1e-2, atol=1e-3)


def test_recus_tau():
    """Q(τ) is the τ-quantile of a Laplace distribution: factors 1.204 and 3.912 of the mean magnitude."""
    from mobile_bnn.layers.recu import quantile

    for tau, factor in ((0.85, 1.204), (0.99, 3.912)):
        assert float(quantile(tf.constant([[1.0], [-3.0]]), tau)) == pytest.approx(2 * factor, rel=1e-3)
    method = methods.create("recu")
    assert [method.tau_at(each) for each in (0.0, 1.0)] == pytest.approx([0.85, 0.99])


def test_recus_activations_are_scaled_in_training_only():
    x = np.random.default_rng(0).normal(0, 4, (3, 4, 4, 5)).astype(np.float32)
    quantizer = methods.create("recu").input_quantizer()
    np.testing.assert_array_equal(quantizer(x), sign(x))
    np.testing.assert_array_equal(quantizer(x, training=True), sign(x))
    deviation = x.std((1, 2, 3), keepdims=True)
    _, gradient = forward_and_gradient(lambda each: quantizer(each, training=True), x)
    v = x / np.sqrt(deviation**2 + 1e-5)
    inner = np.maximum(2 - 2 * np.abs(v), 0)
    n = x[0].size
    along = (inner * x).sum((1, 2, 3), keepdims=True) / (n * (deviation**2 + 1e-5))
    expected = (inner - (x - x.mean((1, 2, 3), keepdims=True)) * along) / np.sqrt(deviation**2 + 1e-5)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)


def test_bipers_weights_are_periodic():
    w = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    first, second = methods.create("biper").phases()
    for phase, value in ((first, np.sin(20 * w)), (second, sign(np.sin(20 * w)))):
        quantizer = methods.create("biper").in_phase(phase).kernel_quantizer()
        y, gradient = forward_and_gradient(quantizer, w)
        np.testing.assert_allclose(y, value, atol=1e-5)
        np.testing.assert_allclose(gradient, 20 * np.cos(20 * w), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(quantizer(w + np.float32(2 * np.pi / 20)), y)
