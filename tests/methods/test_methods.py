"""Every method's quantizers against the paper's formula in NumPy, forward and backward."""

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf

X = np.array(
    [-3.0, -1.5, -1.0, -0.999, -0.5, -0.25, -1e-30, -0.0, 0.0, 1e-30, 0.25, 0.5, 0.999, 1.0, 1.5, 3.0], np.float32
)


def forward_and_gradient(quantizer, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = quantizer(x)
    return y.numpy(), tape.gradient(y, x).numpy()


def sign(x):
    return np.where(x >= 0, 1.0, -1.0)  # -0.0 >= 0: binarizes to +1, as in Keras


@pytest.mark.parametrize("name", ["bnn", "xnor_net"])
def test_activations_are_signs_with_a_straight_through_gradient(name):
    y, gradient = forward_and_gradient(methods.get(name).activation_quantizer(), X)
    np.testing.assert_array_equal(y, sign(X))
    np.testing.assert_array_equal(gradient, np.abs(X) <= 1)


def test_bi_real_activations_have_the_piecewise_polynomial_gradient():
    y, gradient = forward_and_gradient(methods.get("bi_real").activation_quantizer(), X)
    np.testing.assert_array_equal(y, sign(X))
    np.testing.assert_allclose(gradient, np.where(np.abs(X) < 1, 2 - 2 * np.abs(X), 0), atol=1e-6)


def test_bnn_weights_are_signs():
    y, gradient = forward_and_gradient(methods.get("bnn").weight_quantizer(), X)
    np.testing.assert_array_equal(y, sign(X))
    np.testing.assert_array_equal(gradient, np.abs(X) <= 1)


@pytest.mark.parametrize("name", ["xnor_net", "bi_real"])
def test_scaled_weights_carry_the_mean_magnitude_of_each_filter(name):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 5, 4)).astype(np.float32)
    y, gradient = forward_and_gradient(methods.get(name).weight_quantizer(), kernel)
    alpha = np.abs(kernel).reshape(-1, 4).mean(0)
    np.testing.assert_allclose(y, alpha * sign(kernel), rtol=1e-5)
    np.testing.assert_allclose(gradient, alpha * (np.abs(kernel) <= 1), rtol=1e-5)


def test_dorefa_activations_are_rounded_to_zero_and_one():
    x = X[np.abs(X) != 0.5]  # at exactly one half, rounding to even is as good as rounding up
    y, gradient = forward_and_gradient(methods.get("dorefa").activation_quantizer(), x)
    np.testing.assert_array_equal(y, np.round(np.clip(x, 0, 1)))
    inside = (x > 0) & (x < 1)
    outside = (x < 0) | (x > 1)
    assert (gradient[inside] == 1).all()
    assert (gradient[outside] == 0).all()


def test_dorefa_weights_are_signs_through_a_tanh():
    kernel = np.random.default_rng(1).uniform(-1, 1, (3, 3, 4, 4)).astype(np.float32)
    y, gradient = forward_and_gradient(methods.get("dorefa").weight_quantizer(), kernel)
    limited = np.tanh(kernel)
    expected = 2 * np.round(limited / (2 * np.abs(limited).max()) + 0.5) - 1
    np.testing.assert_allclose(y, expected, atol=1e-6)
    np.testing.assert_allclose(gradient, (1 - limited**2) / np.abs(limited).max(), rtol=1e-4)


def test_latent_free_weights_are_taken_as_they_are():
    method = methods.get("bnn").latent_free()
    np.testing.assert_array_equal(method.weight_quantizer()(X), X)
    assert method.weights()["kernel_constraint"] is None
    assert method.activation_quantizer is methods.get("bnn").activation_quantizer


def test_clip_becomes_the_kernels_constraint():
    constraint = methods.get("bnn").weights()["kernel_constraint"]
    np.testing.assert_array_equal(constraint(tf.constant([-2.0, 0.5, 3.0])), [-1, 0.5, 1])


@pytest.mark.parametrize("name", methods.names())
def test_records_are_complete(name):
    method = methods.get(name)
    assert method.name == name
    assert method.deploy_class in methods.DEPLOY_CLASSES
    assert str(method.year) in method.paper or "arXiv" in method.paper
    values = np.unique(method.activation_quantizer()(tf.linspace(-2.0, 2.0, 101)))
    assert method.pad_value in values, "padding must be a value that the activations take"


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"unknown method 'bireal'\. Did you mean bi_real\? Known: bi_real, bnn"):
        methods.get("bireal")
