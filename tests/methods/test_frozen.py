"""INQ's powers of two and Main/Subsidiary's masks: values against NumPy, and what an optimizer leaves as it is."""

from itertools import pairwise

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.layers.filter_masks import FIXED, LEARNING, UNREACHED
from mobile_bnn.layers.powers_of_two import greatest_level, largest_frozen, rounded
from mobile_bnn.legacy_keras import tf
from tests.methods.formulas import X, filters, forward_and_gradient, kernels

GENERATOR = np.random.default_rng(0)
KERNELS = pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])


def power_of_two_of(w, bits):
    """Level by level, as the paper's equation 4 has it."""
    largest = np.abs(w).max()
    if largest == 0:
        return np.zeros_like(w)
    first = np.floor(np.log2(4 * largest / 3))
    levels = [0.0, *(2.0**n for n in np.arange(first + 1 - 2 ** (bits - 2), first + 1))]
    y = np.zeros_like(w)
    for low, high in pairwise(levels):
        inside = (np.abs(w) >= (low + high) / 2) & (np.abs(w) < 1.5 * high)
        y[inside] = high
    return np.sign(w) * y


@pytest.mark.parametrize("bits", [2, 3, 5])
@KERNELS
def test_inqs_weights(kernel, bits):
    upstream = GENERATOR.normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create("inq", weight_bits=bits).kernel_quantizer(), kernel, upstream)
    np.testing.assert_array_equal(y, power_of_two_of(kernel.astype(np.float64), bits))
    np.testing.assert_array_equal(gradient, upstream)
    assert len(np.unique(y)) <= 2 ** (bits - 1) + 1


def test_inq_by_hand():
    w = tf.constant([0.5, 0.3, 0.24, 0.1])
    assert float(greatest_level(w)) == 0.5
    np.testing.assert_array_equal(rounded(w, greatest_level(w), 3), [0.5, 0.25, 0.25, 0])
    for largest, level in ((0.75, 1.0), (np.nextafter(np.float32(0.75), np.float32(0)), 0.5), (1e-30, 2.0**-100)):
        assert float(greatest_level(tf.constant([largest], tf.float32))) == level
    assert float(greatest_level(tf.constant([0.0, -0.0]))) == 0


def test_the_largest_are_frozen_first():
    w = tf.constant(X[np.abs(X) < 10])
    none = tf.zeros_like(w)
    some = largest_frozen(w, none, 5).numpy()
    assert some.sum() == 5
    assert np.abs(w)[some > 0].min() >= np.abs(w)[some == 0].max()
    shrunk = tf.where(some > 0, 0.0, w)  # frozen ones stay, however small they are by then
    more = largest_frozen(shrunk, tf.constant(some), 8).numpy()
    assert more.sum() == 8
    assert (more >= some).all()


def trained(method, layers=1):
    image = tf.keras.Input((6, 6, 8))
    x = image
    for index in range(layers):
        x = method.conv2d(x, 8, 3, name=f"conv{index}")
    model = tf.keras.Model(image, tf.keras.layers.BatchNormalization(name="norm")(x))
    model.compile(method.optimizer(tf.keras.optimizers.Adam(0.01), model), "mse")
    return model


def step(model, schedules, progress):
    for schedule in schedules:
        schedule.variable.assign(schedule.value(tf.constant(progress)))
    generator = np.random.default_rng(1)
    for _ in range(2):
        x, y = (generator.normal(size=(8, 6, 6, 8)).astype(np.float32) for _ in range(2))
        model.train_on_batch(x, y)


def latent(model, index=0):
    return model.get_layer(f"conv{index}").kernel.latent_variable.numpy()


def test_inq_freezes_group_by_group():
    """Frozen weights keep every bit, Adam's moments notwithstanding; in the end all are powers of two."""
    method = methods.create("inq", float_share=0.5, shares=[0.5, 0.75, 1.0])
    model = trained(method)
    quantizer, schedules = model.get_layer("conv0").kernel_quantizer, method.schedules(model)
    shares = [float(schedules[0].value(tf.constant(each))) for each in (0.0, 0.49, 0.5, 0.7, 0.9, 1.0)]
    np.testing.assert_allclose(shares, [0, 0, 0.5, 0.75, 1, 1])
    step(model, schedules, 0.0)
    assert quantizer.frozen.numpy().sum() == 0
    np.testing.assert_array_equal(quantizer(latent(model)), latent(model))
    for progress, share in ((0.5, 0.5), (0.7, 0.75), (1.0, 1.0)):
        before, frozen = latent(model), quantizer.frozen.numpy() > 0
        values = np.array(quantizer(before))
        step(model, schedules, progress)
        now = quantizer.frozen.numpy() > 0
        assert now.mean() == pytest.approx(share, abs=1 / now.size)
        assert (now >= frozen).all()
        moved = latent(model) != before
        assert not moved[now].any()
        assert share == 1 or moved[~now].mean() > 0.9
        after = np.array(quantizer(latent(model)))
        np.testing.assert_array_equal(after[frozen], values[frozen])
        np.testing.assert_array_equal(after[~now], latent(model)[~now])
    assert len(np.unique(after)) <= 17
    np.testing.assert_array_equal(np.log2(np.abs(after[after != 0])) % 1, 0)


def test_inqs_shares_are_checked():
    with pytest.raises(Exception, match="shares: must rise from above 0 to 1"):
        methods.create("inq", shares=[0.5, 0.9])


@KERNELS
def test_masked_weights(kernel):
    quantizer = methods.create("main_subsidiary").kernel_quantizer()
    plain = methods.create("xnor_net").kernel_quantizer()
    upstream = GENERATOR.normal(size=kernel.shape).astype(np.float32)
    whole, whole_gradient = forward_and_gradient(plain, kernel, upstream)
    quantizer(kernel)
    scores = np.resize(np.float32([0.5, -0.5, 0.0, -1e-4, 2.0]), kernel.shape[-1])
    assert np.abs(quantizer.scores.numpy()).max() <= 1e-4
    quantizer.scores.assign(scores)
    mask = (scores >= 0).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, kernel, upstream)
    np.testing.assert_allclose(y, whole * mask, rtol=1e-6)
    np.testing.assert_allclose(gradient, whole_gradient * mask, rtol=1e-5, atol=1e-7)
    with tf.GradientTape() as tape:
        y = quantizer(tf.constant(kernel))
    expected = 0.5 * (np.abs(scores) < 1) * (filters(upstream) * filters(whole)).sum(0)
    np.testing.assert_allclose(tape.gradient(y, quantizer.scores, upstream), expected, rtol=1e-4, atol=1e-5)
    quantizer.stage.assign(UNREACHED)
    np.testing.assert_allclose(quantizer(kernel), whole, rtol=1e-6)


def test_the_loss_counts_the_filters_that_stay():
    quantizer = methods.create("main_subsidiary", strength=0.5).kernel_quantizer()
    quantizer(kernels()[0])
    quantizer.scores.assign([0.1, -0.1, 0.3, -2.0, 2.0])
    with tf.GradientTape() as tape:
        loss = tf.add_n(quantizer.losses)
    assert float(loss) == pytest.approx(0.5 * 3)
    np.testing.assert_allclose(tape.gradient(loss, quantizer.scores), [0.25, 0.25, 0.25, 0, 0])


def test_scores_and_weights_are_trained_by_turns():
    """Base: all but scores. Subsidiary: one layer's scores. Main: weights from that layer on, and the rest."""
    method = methods.create("main_subsidiary", base_share=0.2)
    model = trained(method, layers=2)
    schedules = method.schedules(model)

    def moved(progress):
        named = {"gamma": lambda: model.get_layer("norm").gamma.numpy()}
        for index in range(2):
            named[f"w{index}"] = lambda index=index: latent(model, index)
            scores = model.get_layer(f"conv{index}").kernel_quantizer.scores
            named[f"s{index}"] = lambda scores=scores: scores.numpy()
        before = {name: read() for name, read in named.items()}
        step(model, schedules, progress)
        # The constraint centres every kernel again after each step: rounding is not a step.
        return {name for name, read in named.items() if np.abs(read() - before[name]).max() > 1e-5}

    assert moved(0.0) == {"gamma", "w0", "w1"}
    assert moved(0.2) == {"s0"}
    assert moved(0.45) == {"gamma", "w0", "w1"}
    assert moved(0.65) == {"s1"}
    assert moved(0.9) == {"gamma", "w1"}
    stages = [[float(each.value(tf.constant(at))) for each in schedules] for at in (0.0, 0.2, 0.45, 0.65, 1.0)]
    assert stages == [[UNREACHED] * 2, [LEARNING, UNREACHED], [FIXED, UNREACHED], [FIXED, LEARNING], [FIXED] * 2]


def test_layers_without_filters_have_no_masks():
    method = methods.create("main_subsidiary")
    image = tf.keras.Input((6, 6, 8))
    x = method.conv2d(image, 8, 3, binary_input=False, name="first")
    y = method.dense(tf.keras.layers.Flatten()(method.conv2d(x, 8, 3, name="conv")), 4, name="last")
    assert len(method.schedules(tf.keras.Model(image, y))) == 1
