"""Learning-rate schedules against their formulas in NumPy, and Larq's Bop on the binary weights alone."""

import numpy as np
import pytest

from mobile_bnn import zoo
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.training import Recipe, optimizers

STEPS = 10


def rates(**fields):
    recipe = Recipe.make(zoo="binary_lenet", learning_rate=0.5, **fields)
    schedule = optimizers.learning_rate(recipe, STEPS)
    return np.array([float(schedule(tf.constant(step, tf.int64))) for step in range(recipe.epochs * STEPS)])


def test_cosine():
    step = np.arange(40)
    np.testing.assert_allclose(rates(epochs=4), 0.25 * (1 + np.cos(np.pi * step / 40)), atol=1e-6)


def test_linear():
    np.testing.assert_allclose(rates(epochs=4, schedule="linear"), 0.5 * (1 - np.arange(40) / 40), rtol=1e-5)


def test_exponential():
    found = rates(epochs=4, **{"schedule.name": "exponential", "schedule.final": 3e-4})
    np.testing.assert_allclose(found, 0.5 * 3e-4 ** (np.arange(40) / 40), rtol=1e-5)


def test_step():
    found = rates(epochs=4, schedule="step", step_epochs=[1, 3], step_factor=0.2)
    np.testing.assert_allclose(found, np.repeat([0.5, 0.1, 0.1, 0.02], STEPS), rtol=1e-6)


def test_constant():
    np.testing.assert_allclose(rates(epochs=2, schedule="constant"), 0.5)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_warm_up_rises_linearly_and_then_follows_the_schedule(schedule):
    plain = rates(epochs=4, schedule=schedule)
    found = rates(epochs=4, schedule=schedule, warmup_epochs=1.5)
    np.testing.assert_allclose(found, plain * np.minimum(np.arange(40) / 15, 1), rtol=1e-5)


def test_warm_up_survives_serialization():
    recipe = Recipe.make(zoo="binary_lenet", epochs=4, warmup_epochs=1.0)
    schedule = optimizers.learning_rate(recipe, STEPS)
    copy = tf.keras.optimizers.schedules.deserialize(tf.keras.optimizers.schedules.serialize(schedule))
    assert [float(copy(step)) for step in (0, 5, 30)] == [float(schedule(step)) for step in (0, 5, 30)]


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", "Adam"), ("adamax", "Adamax"), ("rmsprop", "RMSprop"), ("sgd", "SGD")]
)
def test_the_optimizer_is_the_recipes(name, kind):
    recipe = Recipe.make(zoo="binary_lenet", epochs=1, optimizer=name, learning_rate=0.25, schedule="constant")
    model = zoo.build("binary_lenet", recipe.method, (8, 8, 1), 3)
    optimizer = optimizers.make(recipe, model, STEPS)
    assert (type(optimizer).__name__, optimizers.current_learning_rate(optimizer)) == (kind, 0.25)


@pytest.mark.parametrize("name", ["adam", "adamax", "rmsprop", "sgd"])
def test_gradients_are_clipped_by_their_common_norm(name):
    """As if they had been divided by it: sqrt(3² + 4²) = 5, so 3 and 4 become 1.5 and 2 at a norm of 2.5."""
    changed = {}
    for clip_norm, gradients in ((2.5, (3.0, 4.0)), (None, (1.5, 2.0)), (100.0, (1.5, 2.0))):
        recipe = Recipe.make(zoo="binary_lenet", epochs=1, schedule="constant", **{"optimizer.name": name})
        recipe = recipe.model_copy(update={"optimizer": recipe.optimizer.model_copy(update={"clip_norm": clip_norm})})
        optimizer = optimizers.make(recipe, zoo.build("binary_lenet", recipe.method, (8, 8, 1), 3), STEPS)
        variables = [tf.Variable(1.0), tf.Variable(1.0)]
        optimizer.apply_gradients(zip(map(tf.constant, gradients), variables, strict=True))
        changed[clip_norm] = [float(variable) for variable in variables]
    assert changed[2.5] == changed[None] == changed[100.0] != [1.0, 1.0]


def test_kernels_decay_by_an_l2_loss_that_goes_through_the_momentum():
    """Against the steps in NumPy: v ← 0.9·v + g + λ·w, w ← w − η·v, and λ = 0 for what has one axis."""
    fields = {"optimizer.name": "sgd", "optimizer.momentum": 0.9, "optimizer.weight_decay": 0.25}
    recipe = Recipe.make(zoo="binary_lenet", epochs=1, schedule="constant", learning_rate=0.5, **fields)
    optimizer = optimizers.make(recipe, zoo.build("binary_lenet", recipe.method, (8, 8, 1), 3), STEPS)
    kernel, bias = tf.Variable([[1.0, -2.0]]), tf.Variable([1.0, -2.0])
    expected = {True: np.array([1.0, -2.0]), False: np.array([1.0, -2.0])}
    speed = {True: np.zeros(2), False: np.zeros(2)}
    for gradient in ((0.5, 0.5), (-1.0, 0.25), (0.0, 0.0)):
        optimizer.apply_gradients([(tf.constant([gradient]), kernel), (tf.constant(gradient), bias)])
        for decays in (True, False):
            speed[decays] = 0.9 * speed[decays] + np.array(gradient) + 0.25 * decays * expected[decays]
            expected[decays] = expected[decays] - 0.5 * speed[decays]
    np.testing.assert_allclose(kernel.numpy()[0], expected[True], rtol=1e-6)
    np.testing.assert_allclose(bias.numpy(), expected[False], rtol=1e-6)


def test_latent_weights_decay_and_not_what_is_made_of_them():
    recipe = Recipe.make(
        zoo="binary_lenet", epochs=1, schedule="constant", **{"optimizer.name": "sgd", "optimizer.weight_decay": 0.5}
    )
    model = zoo.build("binary_lenet", recipe.method, (8, 8, 1), 3)
    optimizer = optimizers.make(recipe, model, STEPS)
    kernel = model.get_layer("conv2").kernel
    before = kernel.numpy()
    optimizer.apply_gradients([(tf.zeros(kernel.shape), kernel)])
    np.testing.assert_allclose(kernel.numpy(), before * (1 - 0.1 * 0.5), rtol=1e-6)


def test_bop_flips_binary_weights_and_adam_trains_the_rest():
    tf.keras.utils.set_random_seed(1)
    recipe = Recipe.make(zoo="binary_lenet", epochs=1, optimizer="bop", bop_gamma=0.5, schedule="constant")
    model = zoo.build("binary_lenet", recipe.method, (8, 8, 1), 3)
    optimizer = optimizers.make(recipe, model, STEPS)
    assert optimizers.current_learning_rate(optimizer) == pytest.approx(1e-3)
    x, y = tf.random.stateless_normal((8, 8, 8, 1), seed=(0, 1)), tf.one_hot([0, 1, 2, 0, 1, 2, 0, 1], 3)
    model.compile(optimizer, "categorical_crossentropy")
    norm = model.get_layer("norm5").beta
    before = norm.numpy()
    model.fit(x, y, epochs=2, verbose=0)
    for layer in model.layers:
        if isinstance(layer, (larq.layers.QuantConv2D, larq.layers.QuantDense)):
            assert set(np.unique(layer.kernel.numpy())) == {-1.0, 1.0}, layer.name
    assert (norm.numpy() != before).any()
