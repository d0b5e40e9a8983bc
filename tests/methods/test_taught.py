"""Methods that a teacher belongs to: their quantizers, the gate and the attention loss against NumPy."""

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.errors import UsageError
from mobile_bnn.layers.bucketed_grid import BucketedGrid
from mobile_bnn.legacy_keras import tf
from mobile_bnn.training import Recipe
from mobile_bnn.training.attention import attention, attention_loss, shared_maps
from mobile_bnn.training.sections import FloatTwin, RunTeacher
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign

GENERATOR = np.random.default_rng(0)
KERNELS = pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])


@pytest.mark.parametrize("name", ["real_to_binary", "distilled_bnn"])
def test_signs(name):
    method = methods.create(name)
    for quantizer in (method.kernel_quantizer(), method.input_quantizer()):
        y, gradient = forward_and_gradient(quantizer, X)
        np.testing.assert_array_equal(y, sign(X))
        np.testing.assert_array_equal(gradient, np.abs(X) <= 1)


@KERNELS
def test_ternary_weights(kernel):
    upstream = GENERATOR.normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(methods.create("apprentice").kernel_quantizer(), kernel, upstream)
    w = filters(kernel)
    threshold = 0.7 * np.abs(w).mean(0)
    kept = np.abs(w) > threshold
    alpha = np.where(kept, np.abs(w), 0).sum(0) / np.maximum(kept.sum(0), 1)
    certain = np.abs(np.abs(w) - threshold) > 1e-6
    np.testing.assert_allclose(filters(y)[certain], (alpha * kept * np.sign(w))[certain], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(gradient, upstream)


def test_ternary_weights_are_nearer_than_signs():
    w = filters(kernels()[0])
    y = filters(methods.create("apprentice").kernel_quantizer()(kernels()[0]).numpy())
    assert (((w - y) ** 2).sum(0) < ((w - np.abs(w).mean(0) * sign(w)) ** 2).sum(0)).all()


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_apprentices_activations(bits):
    y, gradient = forward_and_gradient(methods.create("apprentice", input_bits=bits).input_quantizer(), X)
    steps = 2**bits - 1
    np.testing.assert_allclose(y, np.round(np.clip(X, 0, 1) * steps) / steps, rtol=1e-6)
    np.testing.assert_array_equal(gradient, (X >= 0) & (X <= 1))


@pytest.mark.parametrize("size", [2, 7, 64, 256])
@pytest.mark.parametrize("bits", [1, 2, 4])
@KERNELS
def test_bucketed_weights(kernel, bits, size):
    """Bucket by bucket, filter after filter, the taps of an input channel together."""
    upstream = GENERATOR.normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(BucketedGrid(bits, size), kernel, upstream)
    flat, found = (each.transpose(3, 2, 0, 1).ravel().astype(np.float64) for each in (kernel, y))
    for start in range(0, len(flat), size):
        bucket, given = flat[start : start + size], found[start : start + size]
        low, span = bucket.min(), np.ptp(bucket)
        scaled = (bucket - low) / max(span, 1e-10) * (2**bits - 1)
        certain = np.abs(scaled % 1 - 0.5) > 1e-4
        expected = low + span * np.round(scaled) / (2**bits - 1)
        np.testing.assert_allclose(given[certain], expected[certain], rtol=1e-5, atol=1e-6)
        assert np.abs(given - bucket).max() <= span / (2**bits - 1) / 2 + 1e-6
        np.testing.assert_allclose([given.min(), given.max()], [low, bucket.max()], rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(gradient, upstream)


def gated(phase=-1, **options):
    method = methods.create("real_to_binary", reduction=2, **options)
    image = tf.keras.Input((6, 6, 8))
    method = method.in_phase(method.phases()[phase])
    return tf.keras.Model(image, method.conv2d(image, 3, 3, strides=2, name="conv"))


def test_the_gate():
    model = gated()
    x = GENERATOR.normal(size=(4, 6, 6, 8)).astype(np.float32)
    plain = tf.keras.Model(model.inputs, model.get_layer("conv").output)
    first, second = (model.get_layer(f"conv_gate_{each}").kernel.numpy() for each in ("squeeze", "expand"))
    assert (first.shape, second.shape) == ((8, 4), (4, 3))
    gate = 1 / (1 + np.exp(-np.maximum(x.mean((1, 2)) @ first, 0) @ second))
    np.testing.assert_allclose(model(x), plain(x) * gate[:, None, None], rtol=1e-4, atol=1e-5)
    model.get_layer("conv_gate_expand").set_weights([np.zeros((4, 3))])
    np.testing.assert_allclose(model(x), plain(x) / 2, rtol=1e-6)


def test_the_stages_of_real_to_binary():
    """tanh and float weights with weight decay, then signs of inputs, then of weights too."""
    x = GENERATOR.normal(size=(2, 6, 6, 8)).astype(np.float32)
    for phase, activated in ((0, np.tanh(x)), (1, sign(x)), (2, sign(x))):
        model = gated(phase)
        layer = model.get_layer("conv")
        kernel = layer.kernel.latent_variable if phase == 2 else layer.kernel
        weights = sign(kernel.numpy()) if phase == 2 else kernel.numpy()
        plain = tf.keras.Model(model.inputs, layer.output)
        expected = tf.nn.conv2d(
            np.pad(activated.astype(np.float32), ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1.0),
            weights.astype(np.float32),
            2,
            "VALID",
        )
        np.testing.assert_allclose(plain(x), expected, rtol=1e-4, atol=1e-4)
        decay = [1e-5 * (kernel.numpy() ** 2).sum()] if phase < 2 else []
        np.testing.assert_allclose([float(loss) for loss in model.losses], decay, rtol=1e-5)
    phases = methods.create("real_to_binary").phases()
    assert [phase.attention for phase in phases] == [True, True, False]
    assert sum(phase.share for phase in phases) == pytest.approx(1)


def test_attention():
    x = GENERATOR.normal(size=(3, 4, 5, 6)).astype(np.float32)
    energy = (x.astype(np.float64) ** 2).mean(-1).reshape(3, -1)
    np.testing.assert_allclose(attention(x), energy / energy.max(1, keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(attention(np.zeros((1, 2, 2, 3), np.float32)), np.zeros((1, 4)))
    other = GENERATOR.normal(size=(3, 4, 5, 2)).astype(np.float32)
    assert float(attention_loss([x], [7 * x])) == pytest.approx(0, abs=1e-12)
    expected = ((attention(x).numpy() - attention(other).numpy()) ** 2).mean()
    assert float(attention_loss([x], [other])) == pytest.approx(expected, rel=1e-5)
    assert float(attention_loss([x, x], [other, x])) == pytest.approx(expected / 2, rel=1e-5)


def network(name, channels=4, size=6, shortcut=False):
    method = methods.create(name)
    image = tf.keras.Input((size, size, channels))
    x = method.conv2d(image, 4, 3, name="one")
    y = method.conv2d(x, 4, 3, name="two")
    return tf.keras.Model(image, method.shortcut(x, y, name="sum") if shortcut else y)


def test_shared_maps():
    """Sums where both networks have them, else binary convolutions; of one height and width."""
    pairs = shared_maps(network("bnn"), network("full_precision"))
    assert [[each.shape[1:] for each in pair] for pair in pairs] == [[(6, 6, 4)] * 2] * 2
    assert len(shared_maps(network("bnn", shortcut=True), network("full_precision", shortcut=True))) == 1
    assert len(shared_maps(network("bnn", shortcut=True), network("full_precision"))) == 2
    with pytest.raises(UsageError, match=r"no map of the student has one of the same layer name and size"):
        shared_maps(network("bnn"), network("full_precision", size=5))


def test_a_method_brings_its_teacher():
    """The recipe's own fields go first; a method without one has none."""
    common = {"dataset": "digits", "epochs": 2}
    taught = Recipe.of_zoo("binary_lenet", method="polino", **common)
    assert taught.teacher == FloatTwin(weight=0.7, temperature=2.0)
    own = Recipe.of_zoo("binary_lenet", method="polino", teacher="run", **common, **{"teacher.run": "elsewhere"})
    assert own.teacher == RunTeacher(run="elsewhere", weight=0.7, temperature=2.0)
    other = Recipe.of_zoo("binary_lenet", method="real_to_binary", **common, **{"teacher.attention": 1.0})
    assert other.teacher == FloatTwin(weight=0.75, attention=1.0)
    assert Recipe.of_zoo("binary_lenet", method="bnn", **common).teacher is None


def test_a_taught_recipe_survives_its_file(tmp_path):
    taught = Recipe.of_zoo("binary_lenet", dataset="digits", epochs=2, method="real_to_binary")
    taught.write(tmp_path / "recipe.toml")
    assert Recipe.read(tmp_path / "recipe.toml") == taught
