"""Methods whose weights another step than the optimizer's sets: TSQ and BWNH fit them, SYQ scales them."""

import itertools

import numpy as np
import pytest

from mobile_bnn import methods
from mobile_bnn.layers.sparse_steps import best_step
from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods.layer_fitting import best_scales, descend, layer_rows
from tests.methods.formulas import X, filters, forward_and_gradient, kernels, sign

GENERATOR = np.random.default_rng(0)
GRID = np.concatenate([X[np.abs(X) < 1e3], np.linspace(-1, 3, 1601, dtype=np.float32)])
KERNELS = pytest.mark.parametrize("kernel", kernels(), ids=["random", "dead", "edges", "constant", "one"])


def two_layers(method, **options):
    image = tf.keras.Input((6, 5, 4))
    x = method.conv2d(image, 6, 3, name="one", **options)
    return tf.keras.Model(image, method.conv2d(x, 4, 3, name="two"))


def trained(name, **fields):
    """The method's last phase, as a training builds it."""
    method = methods.create(name, **fields)
    return method.in_phase(method.phases()[-1])


@pytest.mark.parametrize("epsilon", [0.0, 0.25, 0.9])
def test_tsqs_activations(epsilon):
    step = best_step(epsilon)
    x = np.abs(np.random.default_rng(1).normal(size=200_000))
    x = x[x > epsilon]
    errors = [
        (np.abs(x[:, None] - each * np.arange(1, 4)).min(1) ** 2).mean() for each in (step, step - 0.03, step + 0.03)
    ]
    assert errors[0] < min(errors[1:])
    quantizer = methods.create("tsq", epsilon=epsilon).input_quantizer()
    upstream = np.linspace(-2, 3, len(GRID)).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, GRID, upstream)
    thresholds = np.float32([epsilon, max(epsilon, 1.5 * step), max(epsilon, 2.5 * step)])
    np.testing.assert_allclose(y, step * (GRID[:, None] > thresholds).sum(1), rtol=1e-6)
    np.testing.assert_array_equal(gradient, upstream * ((GRID > 0) & (np.float32(3 * step) >= GRID)))


def test_without_a_dead_zone_tsqs_step_is_hwgqs():
    assert best_step(0.0) == pytest.approx(0.538, abs=1e-3)


@KERNELS
def test_tsqs_weights(kernel):
    quantizer = methods.create("tsq").kernel_quantizer()
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, kernel, upstream)
    np.testing.assert_array_equal(gradient, upstream)
    for w, values in zip(filters(kernel).T, filters(y).T, strict=True):
        kept = np.abs(w) > 0.7 * np.abs(w).mean()
        expected = np.abs(w[kept]).mean() * sign(w) * kept if kept.any() else np.zeros_like(w)
        np.testing.assert_allclose(values, expected, rtol=1e-5)
    np.testing.assert_allclose(quantizer(y), y, rtol=1e-6)  # ternary weights stay as they are


@pytest.mark.parametrize("alphabet", [(-1.0, 1.0), (-1.0, 0.0, 1.0)])
def test_coordinate_descent_never_raises_the_error_and_ends_where_no_letter_helps(alphabet):
    rows, wanted = GENERATOR.normal(size=(50, 6)), GENERATOR.normal(size=(50, 3))
    scales = np.array([0.5, -0.3, 0.0])
    codes = GENERATOR.choice(alphabet, size=(6, 3))
    gram, target = rows.T @ rows, rows.T @ wanted

    def errors(codes):
        return ((wanted - scales * (rows @ codes)) ** 2).sum(0)

    for _ in range(20):
        changed = descend(codes, gram, target, scales, alphabet)
        assert (errors(changed) <= errors(codes) + 1e-9).all()
        codes = changed
    for index, letter in itertools.product(range(6), alphabet):
        other = codes.copy()
        other[index] = letter
        assert (errors(other) >= errors(codes) - 1e-9).all()
    best = best_scales(codes, gram, target)
    for each in range(3):
        answers = rows @ codes[:, each : each + 1]
        np.testing.assert_allclose(best[each], np.linalg.lstsq(answers, wanted[:, each], rcond=None)[0][0], rtol=1e-6)
    np.testing.assert_array_equal(best_scales(np.zeros((6, 3)), gram, target), 0)


@pytest.mark.parametrize("name", ["tsq", "bwnh"])
@pytest.mark.parametrize(
    "options", [{}, {"strides": 2}, {"dilation": 2}, {"groups": 2}, {"padding": "valid"}, {"pad_value": 1.0}], ids=str
)
def test_rows_times_filters_are_what_the_layer_computes(name, options):
    model = two_layers(trained(name), **options)
    layer, images = model.get_layer("one"), GENERATOR.normal(size=(2, 6, 5, 4)).astype(np.float32)
    rows = layer_rows(model, layer, tf.constant(images))
    kernel = np.asarray(layer.kernel_quantizer(layer.kernel.latent_variable))
    groups = np.split(filters(kernel), len(rows), axis=1)
    answers = np.concatenate([each @ columns for each, columns in zip(rows, groups, strict=True)], axis=1)
    expected = tf.keras.Model(model.input, layer.output)(images).numpy()
    np.testing.assert_allclose(answers.reshape(expected.shape), expected, rtol=1e-4, atol=1e-5)


def test_tsqs_objective_never_rises_and_is_0_where_ternary_weights_answer_exactly():
    method = methods.create("tsq", rounds=8)
    rows, w = GENERATOR.normal(size=(300, 12)), GENERATOR.normal(size=(12, 5))
    rows -= rows.mean(0)
    start = np.sign(w) * (np.abs(w) > 0.7 * np.abs(w).mean(0))
    costs = [cost for _, _, cost in method.alternate(rows, w, start)]
    assert (np.diff(costs) <= 1e-9).all()
    assert costs[-1] < costs[0]
    exact = 0.7 * start
    codes, scales, cost = method.alternate(rows, exact, start)[-1]
    np.testing.assert_array_equal(codes, start)
    np.testing.assert_allclose(scales, 0.7, rtol=1e-9)
    assert cost == pytest.approx(0, abs=1e-12)


def test_tsq_leaves_ternary_kernels_that_its_quantizer_gives_back():
    method = trained("tsq")
    model = two_layers(method, groups=2)
    model.get_layer("two").kernel.latent_variable.assign(tf.zeros((3, 3, 6, 4)))
    images = tf.constant(GENERATOR.normal(size=(8, 6, 5, 4)).astype(np.float32))
    method.phases()[-1].begin(model, images)
    for layer in model.layers[1:]:
        latent = np.asarray(layer.kernel.latent_variable)
        np.testing.assert_allclose(layer.kernel_quantizer(latent), latent, rtol=1e-6)
        assert all(len(np.unique(np.round(np.abs(w[w != 0]), 6))) <= 1 for w in filters(latent).T)
    assert not np.any(latent)  # a dead layer stays dead


def test_bwnhs_codes():
    """The error never rises, and with inputs of no correlation the answer is BWN's: sign(w) and mean|w|."""
    method = methods.create("bwnh", rounds=30)
    mixing = GENERATOR.normal(size=(12, 12))
    rows, w = GENERATOR.normal(size=(300, 12)) @ mixing, GENERATOR.normal(size=(12, 5))
    steps = method.alternate(rows, w)
    errors = [error for *_, error in steps]
    assert (np.diff(errors) <= 1e-9).all()
    assert errors[-1] < errors[0]
    codes, scales, error = steps[-1]
    for each in range(5):
        answers = rows @ codes[:, each : each + 1]
        np.testing.assert_allclose(scales[each], np.linalg.lstsq(answers, rows @ w[:, each], rcond=None)[0][0])
    assert error == pytest.approx(((rows @ w - scales * (rows @ codes)) ** 2).sum())
    *_, (codes, scales, _) = method.alternate(3.0 * np.eye(12), w)
    np.testing.assert_array_equal(codes, sign(w))
    np.testing.assert_allclose(scales, np.abs(w).mean(0))


def test_bwnhs_layers_answer_more_like_the_float_ones_than_bwns():
    images = tf.constant(GENERATOR.normal(size=(16, 6, 5, 4)).astype(np.float32))
    method = trained("bwnh")
    model = two_layers(method)
    layer = model.get_layer("two")
    kernel = np.asarray(layer.kernel.latent_variable)
    method.phases()[-1].begin(model, images)
    rows = layer_rows(model, layer, images)[0]
    hashed = filters(np.asarray(layer.kernel_quantizer(layer.kernel.latent_variable)))
    np.testing.assert_allclose(hashed, filters(np.asarray(layer.kernel.latent_variable)), rtol=1e-5)
    w = filters(kernel)
    bwn = np.abs(w).mean(0) * sign(w)
    assert ((rows @ (w - hashed)) ** 2).sum() < ((rows @ (w - bwn)) ** 2).sum()


@pytest.mark.parametrize(("groups", "axes"), [("pixel", (2, 3)), ("row", (1, 2, 3)), ("layer", (0, 1, 2, 3))])
@KERNELS
def test_syqs_weights(groups, axes, kernel):
    quantizer = methods.create("syq", groups=groups).kernel_quantizer()
    quantizer.begin_at(tf.constant(kernel))
    scales = np.abs(kernel).mean(axes, keepdims=True)
    np.testing.assert_allclose(quantizer.scales, scales, rtol=1e-5)
    upstream = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    y, gradient = forward_and_gradient(quantizer, kernel, upstream)
    np.testing.assert_allclose(y, scales * sign(kernel), rtol=1e-5)
    np.testing.assert_array_equal(gradient, upstream)
    with tf.GradientTape() as tape:
        y = quantizer(tf.constant(kernel))
    to_scales = tape.gradient(y, quantizer.scales, tf.constant(upstream))
    np.testing.assert_allclose(to_scales, (upstream * sign(kernel)).sum(axes, keepdims=True), rtol=1e-4, atol=1e-5)


def test_syqs_layer_is_a_sum_of_shifted_convolutions_of_one_tap():
    method = trained("syq")
    image = tf.keras.Input((6, 5, 4))
    model = tf.keras.Model(image, method.conv2d(image, 3, 3, name="conv", padding="valid"))
    method.phases()[-1].begin(model, None)
    layer, x = model.get_layer("conv"), GENERATOR.uniform(-0.5, 1.5, (2, 6, 5, 4)).astype(np.float32)
    kernel, a = np.asarray(layer.kernel.latent_variable), np.round(np.clip(x, 0, 1) * 255) / 255
    expected = sum(
        np.abs(kernel[row, column]).mean() * (a[:, row : row + 4, column : column + 3] @ sign(kernel[row, column]))
        for row, column in itertools.product(range(3), range(3))
    )
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-4)


def test_syqs_first_phase_has_float_weights_and_the_scales_of_the_second():
    method = methods.create("syq")
    first, second = (two_layers(method.in_phase(phase)) for phase in method.phases())
    assert [weight.shape for weight in first.weights] == [weight.shape for weight in second.weights]
    quantizer, kernel = first.get_layer("one").kernel_quantizer, tf.Variable(kernels()[0][..., :4, :])
    with tf.GradientTape() as tape:
        y = quantizer(kernel)
    to_kernel, to_scales = tape.gradient(y, [kernel, quantizer.scales])
    np.testing.assert_array_equal(y, kernel)
    np.testing.assert_array_equal(to_kernel, np.ones(kernel.shape))
    np.testing.assert_array_equal(to_scales, np.zeros((3, 3, 1, 1)))


def test_syqs_dense_layers_have_one_scale():
    quantizer = methods.create("syq").kernel_quantizer()
    quantizer.begin_at(tf.constant([[0.5, -1.0], [1.5, -3.0]]))
    np.testing.assert_array_equal(quantizer.scales, [[1.5]])
    np.testing.assert_array_equal(quantizer(tf.constant([[0.5, -1.0], [-0.0, -3.0]])), [[1.5, -1.5], [1.5, -1.5]])
