"""CBCN's circulant filters and CI-BCNN's interactions against NumPy."""

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.errors import UsageError
from mobile_bnn.layers.channel_interactions import (
    ChannelInteractions,
    connect,
    correlation_of,
    interaction,
    strongest_edges,
)
from mobile_bnn.layers.circulant import Circulant, expanded
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import forward_and_gradient, sign

GENERATOR = np.random.default_rng(0)


def normal(*shape):
    return GENERATOR.normal(size=shape).astype(np.float32)


def circulant(w):
    """Filter 4·f + r is filter f turned r quarters against the clock, channel 4·i + o moved to 4·i + (o + r) mod 4."""
    size, _, inputs, count = w.shape
    y = np.zeros((size, size, inputs, 4 * count), w.dtype)
    for quarter in range(4):
        for channel in range(inputs):
            to = channel - channel % 4 + (channel + quarter) % 4
            y[:, :, to, quarter::4] = np.rot90(w[:, :, channel], quarter)
    return y


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_circulant_filters(size):
    w = normal(size, size, 8, 3)
    np.testing.assert_array_equal(expanded(tf.constant(w)), circulant(w))


def test_circulant_back_propagation_is_the_adjoint():
    w, upstream = normal(3, 3, 8, 2), normal(3, 3, 8, 8)
    y, gradient = forward_and_gradient(expanded, w, upstream)
    other = normal(3, 3, 8, 2)
    np.testing.assert_allclose((circulant(other) * upstream).sum(), (other * gradient).sum(), rtol=1e-4)
    sums = np.abs(y).reshape(-1, 2, 4).sum(0)
    np.testing.assert_allclose(sums, np.repeat(np.abs(w).reshape(-1, 2).sum(0)[:, None], 4, 1), rtol=1e-5)


@pytest.mark.parametrize("w", [normal(3, 3, 4, 2), np.zeros((3, 3, 4, 1), np.float32), -np.ones((1, 1, 4, 1), "f")])
def test_circulant_weights(w):
    upstream = normal(*w.shape[:3], 4 * w.shape[3])
    y, gradient = forward_and_gradient(Circulant(), w, upstream)
    full = circulant(w.astype(np.float64))
    alpha = np.abs(w).mean(dtype=np.float64)
    np.testing.assert_allclose(y, alpha * sign(full), rtol=1e-5, atol=1e-7)
    # To each expanded weight α·(2 − 2|w|)₊, and sign(w)/n of what reaches α; then back and added up.
    each = upstream * alpha * np.maximum(2 - 2 * np.abs(full), 0)
    each += np.sign(full) / full.size * (upstream * sign(full)).sum()
    back = np.zeros(w.shape)
    for index in np.ndindex(*w.shape):
        one = np.zeros(w.shape)
        one[index] = 1
        back[index] = (circulant(one) * each).sum()
    np.testing.assert_allclose(gradient, back, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(Circulant(binary=False)(w), circulant(w))


def test_circulant_convolutions_turn_with_their_input():
    """The input turned by 90° and its orientations moved on: so is the output."""
    method = methods.create("cbcn")
    image = tf.keras.Input((6, 6, 8))
    model = tf.keras.Model(image, method.conv2d(image, 8, 3, name="conv"))
    layer = model.get_layer("conv")
    assert tuple(layer.kernel.latent_variable.shape) == (3, 3, 8, 2)
    assert layer.count_params() == 3 * 3 * 8 * 2

    def turn(x):
        return np.roll(np.rot90(x, 1, (1, 2)).reshape(2, 6, 6, 2, 4), 1, 4).reshape(2, 6, 6, 8)

    x = normal(2, 6, 6, 8)
    np.testing.assert_allclose(model(turn(x)), turn(model(x).numpy()), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "filters", "size", "options"),
    [(6, 8, 3, {}), (8, 6, 3, {}), (8, 8, (3, 1), {}), (8, 8, 3, {"groups": 2})],
)
def test_circulant_convolutions_that_cannot_be(channels, filters, size, options):
    image = tf.keras.Input((6, 6, channels))
    with pytest.raises(UsageError, match="cbcn cannot make layer conv: circulant filters are square"):
        methods.create("cbcn").conv2d(image, filters, size, name="conv", **options)
    with pytest.raises(UsageError, match="bop: trains every filter by itself"):
        methods.create("cbcn", bop={"gamma": 0.01})


def test_interactions():
    counts = np.float32([-300, -200, -199, -0.0, 0, 199, 200, 400])
    sent = interaction(tf.constant(counts), 200.0, 100.0).numpy()
    np.testing.assert_array_equal(sent, [-100, -100, 0, 0, 0, 0, 100, 100])
    np.testing.assert_array_equal(interaction(tf.constant(-counts), 200.0, 100.0), -sent)
    layer, x = ChannelInteractions(2.0, 0.5), 3 * normal(2, 4, 4, 3)
    np.testing.assert_array_equal(layer(x), x)  # no edges: as the base
    layer.source.assign([2, 0, 1])
    layer.effect.assign([1, 0, -1])
    upstream = normal(*x.shape)
    y, gradient = forward_and_gradient(layer, x, upstream)
    acts = 0.5 * ((x >= 2).astype(np.float32) - (x <= -2))
    np.testing.assert_allclose(y, x + np.stack([acts[..., 2], 0 * acts[..., 0], -acts[..., 1]], -1), rtol=1e-6)
    np.testing.assert_array_equal(gradient, upstream)


def test_the_strongest_edges():
    x = normal(4, 3, 3, 5)
    x[..., 3] = 2
    flat = x.reshape(-1, 5).astype(np.float64)
    found = correlation_of(tf.constant(x)).numpy()
    expected = np.corrcoef(np.delete(flat, 3, 1).T)
    np.testing.assert_allclose(np.delete(np.delete(found, 3, 0), 3, 1), expected, atol=1e-5)
    np.testing.assert_array_equal(found[3], 0)
    table = np.float32([[1, 0.2, -0.9, 0.1], [0.2, 1, 0.4, 0.25], [-0.9, 0.4, 1, 0.3], [0.1, 0.25, 0.3, 1]])
    source, effect = strongest_edges(tf.constant(table), 3, 0.35)
    np.testing.assert_array_equal(source, [2, 2, 0, 2])
    np.testing.assert_array_equal(effect, [-1, 1, -1, 0])
    np.testing.assert_array_equal(strongest_edges(tf.constant(table), 4, 0.0)[1], [-1, 1, -1, 1])
    np.testing.assert_array_equal(strongest_edges(tf.constant(table), 0, 0.0)[1], 0)


def test_edges_are_found_when_the_second_phase_begins():
    method = methods.create("ci_bcnn", edges=2, correlation=0.0)
    image = tf.keras.Input((6, 6, 8))
    x = method.conv2d(method.conv2d(image, 8, 3, name="one"), 8, 3, name="two")
    model, images = tf.keras.Model(image, x), normal(4, 6, 6, 8)
    assert method.phases()[0].begin is None
    method.phases()[1].begin(model, images)
    layer = model.get_layer("one_interactions")
    counts = tf.keras.Model(image, layer.input)(images)
    source, effect = strongest_edges(correlation_of(counts), 2, 0.0)
    np.testing.assert_array_equal(layer.source, source)
    np.testing.assert_array_equal(layer.effect, effect)
    assert np.abs(effect).sum() == 2
    assert not layer.trainable_weights
    connect(tf.keras.Model(image, image), images, 2, 0.0)  # of a network without binary convolutions
