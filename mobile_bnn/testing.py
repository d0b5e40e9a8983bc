"""The kit that every binarization method passes, also one from outside: `check_method("theirs")`.

    from mobile_bnn.testing import check_layers, check_method

    def test_my_layers():
        check_layers("my_method")  # seconds: values, gradients, one step, saving and loading, conversion

    def test_my_method():
        check_method("my_method")  # a minute or two: that, and a training that is broken off and goes on

It trains a small network on embedded images, and needs no network access.
"""

from collections import Counter
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import numpy as np

from mobile_bnn import converters, methods, training
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods import Method
from mobile_bnn.methods.checked import Checked
from mobile_bnn.methods.curves import values_and_gradient
from mobile_bnn.records import Epoch, History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe
from mobile_bnn.training.checkpoints import Checkpoints
from mobile_bnn.typing import Array, KerasModel, LarqQuantizer

_MOST_VALUES = 256  # of a quantizer: more is no quantizer of at most 8 bits
_EPOCHS = 3
_CHANCE = 0.1  # of ten classes
_TINY = np.finfo(np.float32).smallest_subnormal
_EDGES = np.array([0.0, -0.0, _TINY, -_TINY, 1e-30, -1e-30, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 1e30, -1e30], np.float32)


def check_method(
    method: str | Method, *, zoo: str | None = None, epochs: int = _EPOCHS, least_accuracy: float = 3 * _CHANCE
) -> Checked:
    """Checks a registered method: values, gradients, recipe, training, exact resume, saving, loading, conversion.

    Args:
        method: its name, for the paper's hyperparameters and those of `card.short_training`; or it with others.
        zoo: the architecture that is trained; by default binary_lenet, or resnet20 for a method with needs.
        epochs: of the training, at least 2.
        least_accuracy: that the best epoch must reach; chance is 0.1.

    Raises:
        AssertionError: what does not hold.
        MobileBnnError: the method cannot be built, trained or converted.
    """
    chosen = _for_short_training(method) if isinstance(method, str) else method
    zoo = zoo or ("resnet20" if chosen.needs else "binary_lenet")
    recipe = _recipe(chosen, zoo, epochs)
    _check_fields(chosen)
    _check_quantizers(chosen)
    with TemporaryDirectory() as folder:
        _check_recipe(recipe, Path(folder) / "recipe.toml")
        run, history = _check_training(recipe, Path(folder))
        best = _check_learning(history, least_accuracy)
        layers, found = _check_file(chosen, run.model, Path(folder) / "model.tflite")
    test = (history.test or {})[history.metric]
    return Checked(
        method=chosen.card.name,
        zoo=zoo,
        epochs=epochs,
        best_accuracy=round(best, 4),
        test_accuracy=round(test, 4),
        binary_layers=layers,
        binary_convolutions=found,
    )


def check_layers(method: str | Method) -> None:
    """Checks what is quick to check: values, gradients, recipe, and of two layers a step in each phase, one in mixed
    precision, saving, loading and conversion.

    Args:
        method: as for `check_method`.

    Raises:
        AssertionError: what does not hold.
        MobileBnnError: the method cannot be built, trained or converted.
    """
    chosen = _for_short_training(method) if isinstance(method, str) else method
    _check_fields(chosen)
    _check_quantizers(chosen)
    with TemporaryDirectory() as folder:
        _check_recipe(_recipe(chosen, "binary_lenet", _EPOCHS), Path(folder) / "recipe.toml")
        _check_half_precision(chosen)
        model = _check_phases(chosen, Path(folder) / "phases")
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = tf.keras.models.load_model(path, compile=False)
        np.testing.assert_array_equal(_outputs(loaded), _outputs(model), "the saved model computes something else")
        _check_file(chosen, path, Path(folder) / "model.tflite")


def _check_half_precision(method: Method) -> None:
    """In mixed precision signs are taken of float32, and a step leaves finite weights."""
    policy = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = _layers(method.in_phase(method.phases()[-1]))
        _step(method, model)
    finally:
        tf.keras.mixed_precision.set_global_policy(policy)
    for layer in model.layers:
        if getattr(layer, "kernel_quantizer", None) or getattr(layer, "input_quantizer", None):
            assert layer.compute_dtype == "float32", f"{layer.name} takes signs of {layer.compute_dtype}"
    for weight in model.weights:
        assert np.isfinite(weight).all(), f"{weight.name} is not finite after a step in mixed precision"


def _check_phases(method: Method, folder: Path) -> KerasModel:
    """Each phase begins with the weights that the one before has trained: two layers after a step in every phase."""
    if type(method).phases is Method.phases and not method.bop:
        method = method.model_copy(update={"float_start": 0.25, "float_kernels": 0.25})
    before: dict[str, Array] = {}
    epochs: list[Epoch] = []
    for phase in method.phases():
        model = _layers(method.in_phase(phase))
        checkpoints = Checkpoints(folder, model, tf.keras.optimizers.Adam())
        checkpoints.restore(optimizer=False)
        for name, weight in _named_weights(model).items():
            np.testing.assert_array_equal(weight, before.get(name, weight), f"{name} is lost when {phase.name} begins")
        if phase.begin is not None:
            phase.begin(model, tf.random.normal((4, *model.input_shape[1:])))
        _step(method, model)
        epochs.append(Epoch(epoch=len(epochs) + 1, seconds=0.0, learning_rate=1e-3, metrics={}))
        checkpoints.save(History(epochs=epochs))
        before = _named_weights(model)
    return model


def _named_weights(model: KerasModel) -> dict[str, Array]:
    """Those whose name no other has: quantizers name theirs alike in all layers."""
    names = Counter(weight.name for weight in model.weights)
    return {weight.name: weight.numpy() for weight in model.weights if names[weight.name] == 1}


def _layers(method: Method) -> KerasModel:
    """Two layers and a shortcut."""
    tf.keras.utils.set_random_seed(0)
    image = tf.keras.layers.Input((6, 6, 16))
    x = tf.keras.layers.BatchNormalization(name="norm1")(method.conv2d(image, 16, 3, name="conv1"))
    x = method.shortcut(image, x, name="sum")
    x = tf.keras.layers.BatchNormalization(name="norm2")(method.conv2d(x, 8, 3, strides=2, name="conv2"))
    return tf.keras.Model(image, x)


def _step(method: Method, model: KerasModel) -> None:
    """A training step at the end of the method's schedules."""
    for schedule in method.schedules(model):
        schedule.variable.assign(schedule.value(tf.constant(1.0)))
    optimizer = method.optimizer(tf.keras.optimizers.Adam(1e-3), model)
    images = tf.random.normal((4, *model.input_shape[1:]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.cast(model(images, training=True), tf.float32) ** 2) + sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(
        (gradient, weight)
        for gradient, weight in zip(gradients, model.trainable_weights, strict=True)
        if gradient is not None
    )


def _for_short_training(name: str) -> Method:
    return methods.create(name, "", **methods.get(name).card.short_training)


def _recipe(method: Method, zoo: str, epochs: int) -> Recipe:
    fields = {"name": method.card.name, **method.model_dump(exclude_none=True)}
    return Recipe.of_zoo(
        zoo, dataset="digits", batch_size=32, learning_rate=0.01, epochs=epochs, method=fields, flip_ratio=False
    )


def _check_fields(method: Method) -> None:
    name = method.card.name
    assert methods.get(name) is type(method), f"the method registered as {name!r} is {methods.get(name)}"
    nameless = [field for field, info in type(method).model_fields.items() if not info.description]
    assert not nameless, f"hyperparameters without a description: {', '.join(nameless)}"


def _check_quantizers(method: Method) -> None:
    rng = np.random.default_rng(0)
    if quantizer := method.input_quantizer():
        levels = _check_values("input_quantizer", quantizer, np.linspace(-4, 4, 1001, dtype=np.float32)[:, None])
        _check_values("input_quantizer", quantizer, _EDGES[:, None])  # of one channel, too
        assert method.pad_value in levels, f"pad_value {method.pad_value} is not one of the input's values {levels}"
    if quantizer := method.kernel_quantizer():
        kernel = rng.normal(0, 0.5, (3, 3, 4, 5)).astype(np.float32)
        for each in (kernel, np.zeros((3, 3, 2, 2), np.float32), np.full((1, 1, 1, 2), 0.3, np.float32)):
            _check_kernel(method, each)
        assert np.any(values_and_gradient(quantizer, kernel)[1]), "kernel_quantizer lets no gradient pass"


def _check_kernel(method: Method, kernel: Array) -> None:
    """The values of each filter are few; dead filters and those of one weight have finite ones."""
    quantizer = method.kernel_quantizer()  # another one, for a quantizer may have variables of the kernel's shape
    assert quantizer
    for channel in range(kernel.shape[-1]):
        _check_values("kernel_quantizer", lambda x, channel=channel: quantizer(x)[..., channel], kernel)


def _check_values(what: str, quantizer: LarqQuantizer, x: Array) -> Array:
    """The distinct values of a quantizer: finite, few and the same again; its gradient is finite too."""
    y = quantizer(tf.constant(x))
    assert np.isfinite(y).all(), f"{what} gives a value that is not finite for {x.ravel()[:5]}…"
    np.testing.assert_array_equal(quantizer(tf.constant(x)), y, f"{what} gives other values the second time")
    _, gradient = values_and_gradient(quantizer, x)
    assert np.isfinite(gradient).all(), f"{what} has a gradient that is not finite for {x.ravel()[:5]}…"
    values: Array = np.unique(y)
    assert len(values) <= _MOST_VALUES, f"{what} gives {len(values)} different values"
    return values


def _check_recipe(recipe: Recipe, path: Path) -> None:
    recipe.write(path)
    assert Recipe.read(path) == recipe, "its hyperparameters do not survive recipe.toml"


def _check_training(recipe: Recipe, folder: Path) -> tuple[RunFolder, History]:
    """A broken training goes on to the weights of the whole one; the saved model computes the same."""
    run, broken = RunFolder(folder / "whole"), RunFolder(folder / "broken")
    model, history = training.train(recipe, run)
    _leave_one_epoch_out(run, broken, recipe.epochs)
    resumed, _ = training.train(recipe, broken, resume=True)
    for weight, mine, theirs in zip(model.weights, model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs, f"{weight.name} differs after a resumed training")
    loaded = tf.keras.models.load_model(run.model, compile=False)
    np.testing.assert_array_equal(_outputs(loaded), _outputs(model), "the saved model computes something else")
    return run, history


def _check_learning(history: History, least_accuracy: float) -> float:
    """The loss falls, and one epoch reaches the accuracy: the best one, which is returned."""
    losses = [epoch.metrics["loss"] for epoch in history.epochs]
    # Where a soft quantizer hardens within few epochs the last ones are the hardest.
    assert min(losses[1:]) < losses[0], f"the loss does not fall: {losses}"
    accuracies = [epoch.metrics[f"val_{history.metric}"] for epoch in history.epochs]
    assert max(accuracies) >= least_accuracy, f"no epoch reaches {least_accuracy:.0%}: {accuracies}"
    return max(accuracies)


def _leave_one_epoch_out(run: RunFolder, broken: RunFolder, epochs: int) -> None:
    """Copies what a training has on disk after its last epoch but one."""
    broken.checkpoints.mkdir(parents=True)
    name = f"epoch-{epochs - 1:05d}"
    copytree(run.checkpoints / name, broken.checkpoints / name)
    broken.recipe.write_bytes(run.recipe.read_bytes())


def _outputs(model: KerasModel) -> Array:
    images = np.random.default_rng(1).normal(size=(8, *model.input_shape[1:])).astype(np.float32)
    return np.asarray(model(images, training=False))


def _check_file(method: Method, model: Path, path: Path) -> tuple[int, int]:
    """The file computes what Keras does, with every layer binary; `convert` compares them bit for bit.

    Returns:
        How many layers are binary in it, and how many LceBconv2d they became.
    """
    wanted, deploy_class = method.card.binary_convolutions, method.card.deploy_class
    if wanted:
        conversion = converters.convert(model, path)
        assert not conversion.float_layers, f"layers stay float in the file: {conversion.float_layers}"
        found = sum(operator.name == "LceBconv2d" for operator in conversion.operators.operators)
        layers = len(conversion.layers)
        assert found == wanted * layers, f"{layers} layers became {found} binary convolutions, not {wanted} each"
        return layers, found
    try:
        converters.convert(model, path)
    except MobileBnnError:
        return 0, 0
    raise AssertionError(f"a method of the deploy class {deploy_class!r} has binary layers in the file")
