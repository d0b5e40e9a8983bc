"""Quantizers that are signs: kernels with what is done before and after the sign, against NumPy."""

import numpy as np
import pytest

from mobile_bnn import methods, zoo
from mobile_bnn.runtime import operator_table
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign
from tests.support.lce_files import lce_file

STRAIGHT = lambda x: (np.abs(x) <= 1) * 1.0  # noqa: E731
STRICT = lambda x: (np.abs(x) < 1) * 1.0  # noqa: E731


def swish(beta):
    def factor(x):
        z = np.clip(beta * x, -60, 60)
        return beta * (2 - z * np.tanh(z / 2)) / (1 + np.cosh(z))

    return factor


INPUTS = {
    "bnn": STRAIGHT,
    "bbg": STRAIGHT,
    "xnor_net_plus_plus": STRAIGHT,
    "xnor_net": STRICT,
    "bi_real": lambda x: np.maximum(2 - 2 * np.abs(x), 0),
    "bnn_plus": swish(5.0),
}


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_are_signs(name):
    upstream = np.linspace(-2, 3, len(X)).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create(name).input_quantizer(), X, upstream)
    np.testing.assert_array_equal(y, sign(X))
    np.testing.assert_allclose(gradient, upstream * INPUTS[name](X.astype(np.float64)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
@pytest.mark.parametrize(("name", "options"), [("bnn", {}), ("xnor_net_plus_plus", {}), ("bnn_plus", {})])
def test_plain_signs_of_weights(name, options, kernel):
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create(name, **options).kernel_quantizer(), kernel, upstream)
    np.testing.assert_array_equal(y, sign(kernel))
    factor = swish(5.0) if name == "bnn_plus" else STRAIGHT
    np.testing.assert_allclose(gradient, upstream * factor(kernel.astype(np.float64)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
@pytest.mark.parametrize(
    ("name", "options"),
    [("bi_real", {}), ("bwn", {"exact": False}), ("xnor_net", {"gradient": "constant"})],
    ids=["bi_real", "bwn", "xnor_net"],
)
def test_signs_times_a_constant_mean_of_the_filter(name, options, kernel):
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create(name, **options).kernel_quantizer(), kernel, upstream)
    alpha = np.abs(filters(kernel)).mean(0)
    np.testing.assert_allclose(y, alpha * sign(kernel), rtol=1e-5)
    np.testing.assert_allclose(gradient, alpha * upstream * STRAIGHT(kernel), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
@pytest.mark.parametrize(
    ("name", "options"), [("bwn", {}), ("xnor_net", {"gradient": "exact"})], ids=["bwn", "xnor_net"]
)
def test_the_gradient_passes_through_the_scale_of_bwn(name, options, kernel):
    """α·g·1{|w| ≤ 1} + sign(w)·⟨g, sign(w)⟩/n: the second part is the derivative of α = ‖w‖₁/n."""
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    _, gradient = forward_and_gradient(methods.create(name, **options).kernel_quantizer(), kernel, upstream)
    w, g = filters(kernel), filters(upstream)
    along = (g * sign(w)).sum(0) / len(w)
    # The derivative of |w|, which TensorFlow takes for 0 at 0.
    expected = np.abs(w).mean(0) * g * STRAIGHT(w) + np.sign(w) * along
    np.testing.assert_allclose(filters(gradient), expected, rtol=1e-4, atol=1e-6)


def test_bwns_scale_is_the_best_one():
    """‖w − αb‖² = ‖w‖² − nα², and no other sign or scale is nearer (brute force for filters of 8)."""
    w = np.random.default_rng(0).normal(size=(2, 4, 1, 1)).astype(np.float32)
    y = filters(np.asarray(methods.create("bwn").kernel_quantizer()(w)))[:, 0]
    best = ((filters(w)[:, 0] - y) ** 2).sum()
    assert best == pytest.approx((w**2).sum() - 8 * np.abs(w).mean() ** 2, rel=1e-5)
    for bits in range(2**8):
        b = np.array([1.0 if bits >> i & 1 else -1.0 for i in range(8)])
        alpha = filters(w)[:, 0] @ b / 8
        assert ((filters(w)[:, 0] - alpha * b) ** 2).sum() >= best - 1e-6


@pytest.mark.parametrize("kernel", kernels()[:3], ids=["random", "dead", "edges"])
def test_xnor_nets_official_gradient(kernel):
    """g·(α·1{|w| < 1} + 1/n)·(1 − 1/c), c = 4 input channels, n = 36 weights."""
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create("xnor_net").kernel_quantizer(), kernel, upstream)
    alpha = np.abs(filters(kernel)).mean(0)
    np.testing.assert_allclose(y, alpha * sign(kernel), rtol=1e-5)
    np.testing.assert_allclose(
        gradient, upstream * (alpha * STRICT(kernel) + 1 / 36) * (1 - 1 / 4), rtol=1e-4, atol=1e-7
    )


def test_xnor_nets_weights_are_centred_over_the_input_channels():
    w = np.random.default_rng(0).normal(size=(3, 3, 8, 5)).astype(np.float32)
    constraint = methods.create("xnor_net").kernel_constraint()
    np.testing.assert_allclose(constraint(0.2 * w).numpy().sum(2), 0, atol=1e-6)  # none is clipped
    assert np.abs(constraint(10 * w)).max() == 1
    assert np.abs(constraint(10 * w)).min() < 1
    np.testing.assert_array_equal(constraint(w[:, :, :1]), np.clip(w[:, :, :1], -1, 1))  # of one channel


@pytest.mark.parametrize("kernel", kernels()[:2], ids=["random", "dead"])
def test_bbgs_weights_are_balanced(kernel):
    w = filters(kernel)
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create("bbg").kernel_quantizer(), kernel, upstream)
    v = w - w.mean(0)
    np.testing.assert_allclose(v.sum(0), 0, atol=1e-6)
    np.testing.assert_allclose(filters(y), np.abs(v).mean() * sign(v), rtol=1e-5)
    inner = np.abs(v).mean() * filters(upstream) * STRAIGHT(v)
    np.testing.assert_allclose(filters(gradient), inner - inner.mean(0), rtol=1e-4, atol=1e-6)


def test_the_regularizers_of_bnn_plus():
    """R = 0 iff all |w| are α; α the median and the mean, at which R has its least."""
    generator = np.random.default_rng(0)
    kernel = generator.normal(size=(3, 3, 3, 4)).astype(np.float32)  # 27 weights: a median that is one of them
    w = np.abs(filters(kernel))
    for name, alpha, power in (("R1", np.median(w, 0), 1), ("R2", w.mean(0), 2)):
        penalty = methods.create("bnn_plus", regularizer=name, strength=0.5).kernel_regularizer()
        value, gradient = forward_and_gradient(penalty, kernel)
        assert value == pytest.approx(0.5 * (np.abs(alpha - w) ** power).sum(), rel=1e-5)
        for shift in (-0.05, 0.05):
            assert (np.abs(alpha + shift - w) ** power).sum() > (np.abs(alpha - w) ** power).sum()
        expected = 0.5 * power * np.sign(w - alpha) * np.abs(w - alpha) ** (power - 1) * np.sign(filters(kernel))
        np.testing.assert_allclose(filters(gradient), expected, rtol=1e-4, atol=1e-5)
        assert float(penalty(0.7 * sign(kernel).astype(np.float32))) == pytest.approx(0, abs=1e-10)
    assert methods.create("bnn_plus", strength=0.0).kernel_regularizer() is None


@pytest.mark.parametrize("name", ["bi_real", "xnor_net", "ir_net"])
def test_lces_converter_knows_the_signs(name):
    file = lce_file(zoo.build("binary_lenet", name, (8, 8, 1), 4))
    operators = [operator.name for operator in operator_table(file).operators]
    assert operators.count("LceBconv2d") == 2
