"""Every estimator against its formula in NumPy; the integrals of those that are pieces of a smooth sign."""

import numpy as np
import pytest

from mobile_bnn.layers.estimators import ESTIMATORS, sign_with
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import X, forward_and_gradient, sign


def _swish(x, beta):
    """The derivative of 2σ(βx)(1 + βx(1 − σ(βx))) − 1 by hand, from σ' = σ(1 − σ)."""
    z = np.clip(beta * x, -60, 60)
    s = 1 / (1 + np.exp(-z))
    return beta * 2 * s * (1 - s) * (2 + z * (1 - 2 * s))


FORMULAS = {
    "straight_through": lambda x, p: (np.abs(x) <= p) * 1.0,
    "straight_through_inside": lambda x, p: (np.abs(x) < p) * 1.0,
    "identity": lambda x, p: np.ones_like(x),
    "piecewise_polynomial": lambda x, p: np.where(np.abs(x) < 1, 2 - 2 * np.abs(x), 0),
    "sign_swish": _swish,
    "error_decay": lambda x, p: max(1 / p, 1) * p * (1 - np.tanh(p * np.clip(x, -1e4, 1e4)) ** 2),
    "training_aware": lambda x, p: max(1 / p, 1) * np.maximum(np.sqrt(2) * p - p**2 * np.abs(x), 0),
}


def test_each_has_a_formula():
    assert set(ESTIMATORS) == set(FORMULAS)


@pytest.mark.parametrize("parameter", [1e-3, 0.1, 1.0, 1.25, 5.0, 10.0])
@pytest.mark.parametrize("name", FORMULAS)
def test_the_gradient_is_the_formula_and_the_value_the_sign(name, parameter):
    upstream = np.linspace(-2, 3, len(X)).astype(np.float32)
    y, gradient = forward_and_gradient(lambda x: sign_with(ESTIMATORS[name], x, parameter), X, upstream)
    np.testing.assert_array_equal(y, sign(X))
    expected = upstream * FORMULAS[name](X.astype(np.float64), np.float64(np.float32(parameter)))
    np.testing.assert_allclose(gradient, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("piecewise_polynomial", 1.0), ("sign_swish", 5.0), ("error_decay", 10.0), ("straight_through", 1.0)],
)
def test_those_that_stand_for_a_smooth_sign_add_up_to_its_jump(name, parameter):
    x = np.linspace(-8, 8, 160_001)
    factors = ESTIMATORS[name](tf.constant(x), tf.constant(parameter, tf.float64)).numpy()
    assert np.trapz(factors, x) == pytest.approx(2, abs=1e-3)


def test_half_precision_keeps_its_type():
    y, gradient = forward_and_gradient(lambda x: sign_with(ESTIMATORS["error_decay"], x, 2.0), X.astype(np.float16))
    assert (y.dtype, gradient.dtype) == (np.float16, np.float16)
