"""The quantizers of PokeBNN and BNext against NumPy."""

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign

KERNELS = pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])
GRID = np.concatenate([X, np.float32([2.976, 2.977, -2.976, -2.977, 1.4999, -1.5001])])


def binarized(x, bound):
    """As the authors' library has it: (floor(clip(x/B, ±(1 − ε))) + ½)·B."""
    return (np.floor(np.clip(x / bound, -(1 - 2**-7), 1 - 2**-7)) + 0.5) * bound


@pytest.mark.parametrize("bound", [3.0, 1.0])
def test_poke_bnns_activations(bound):
    y, gradient = forward_and_gradient(methods.create("poke_bnn", bound=bound).input_quantizer(), GRID)
    np.testing.assert_array_equal(y, binarized(GRID.astype(np.float64), bound))
    np.testing.assert_array_equal(gradient, np.abs(GRID) <= np.float32(bound * (1 - 2**-7)))
    assert set(np.unique(y)) == {-bound / 2, bound / 2}


@KERNELS
def test_poke_bnns_weights(kernel):
    upstream = np.random.default_rng(0).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create("poke_bnn").kernel_quantizer(), kernel, upstream)
    w = filters(kernel)
    bound = np.abs(w).max(0)
    np.testing.assert_allclose(filters(y), bound / 2 * sign(w), rtol=1e-6)
    far = np.abs(np.abs(w) - bound * (1 - 2**-7)) > 1e-6
    passes = filters(gradient) == filters(upstream)
    np.testing.assert_array_equal(passes[far], (np.abs(w) <= bound * (1 - 2**-7))[far])


def test_bnexts_activations():
    y, gradient = forward_and_gradient(methods.create("bnext").input_quantizer(), GRID)
    np.testing.assert_array_equal(y, sign(GRID))
    np.testing.assert_array_equal(gradient, np.abs(GRID) <= 1.5)


@pytest.mark.parametrize("temperature", [1.0, 0.3, 1e-6, 5e-8, 0.0])
@KERNELS
def test_bnexts_weights(kernel, temperature):
    quantizer = methods.create("bnext").kernel_quantizer()
    quantizer(kernel)
    quantizer.temperature.assign(temperature)
    y, gradient = forward_and_gradient(lambda w: quantizer(w, training=True), kernel)
    w = kernel.astype(np.float64)
    soft = np.clip(w / temperature, -1, 1) if temperature >= 1e-7 else sign(w)
    np.testing.assert_allclose(y, soft, rtol=1e-5, atol=1e-30)
    np.testing.assert_array_equal(gradient, np.ones_like(kernel))
    np.testing.assert_array_equal(quantizer(kernel), sign(w))


def test_bnexts_temperature_falls():
    method = methods.create("bnext", decay=0.5, decays=4)
    values = [float(method.temperature(tf.constant(each))) for each in (0.0, 0.2, 0.25, 0.6, 1.0)]
    np.testing.assert_allclose(values, [1, 1, 0.5, 0.25, 0.0625])
    image = tf.keras.Input((6, 6, 8))
    model = tf.keras.Model(image, method.conv2d(image, 8, 3, name="conv"))
    assert len(method.schedules(model)) == 1
    assert model.get_layer("conv").kernel_constraint(tf.constant([2.0, -2.0])).numpy().tolist() == [1.5, -1.5]
