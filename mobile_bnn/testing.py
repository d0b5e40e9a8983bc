"""The kit that every binarization method passes, also one from outside: `check_method("theirs")`.

    from mobile_bnn.testing import check_method

    def test_my_method():
        check_method("my_method")

It takes a minute or two, trains a small network on embedded images, and needs no network access.
"""

from inspect import signature
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mobile_bnn import converters, methods, training
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods import Method
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe
from mobile_bnn.typing import Array, KerasModel, LarqQuantizer

_MOST_VALUES = 256  # of a quantizer: more is no quantizer of at most 8 bits
_EPOCHS = 3
_TINY = np.finfo(np.float32).smallest_subnormal
_EDGES = np.array([0.0, -0.0, _TINY, -_TINY, 1e-30, -1e-30, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 1e30, -1e30], np.float32)


def check_method(method: str | Method, *, zoo: str = "binary_lenet") -> None:
    """Checks a registered method: values, gradients, recipe, training, exact resume, saving, loading, conversion.

    Args:
        method: its name, or it with other hyperparameters than the paper's.
        zoo: the architecture that is trained; one that the method fits.

    Raises:
        AssertionError: what does not hold.
        MobileBnnError: the method cannot be built, trained or converted.
    """
    chosen = methods.create(method) if isinstance(method, str) else method
    recipe = _recipe(chosen, zoo)
    _check_fields(chosen)
    _check_quantizers(chosen)
    with TemporaryDirectory() as folder:
        _check_recipe(recipe, Path(folder) / "recipe.toml")
        run = _check_training(recipe, Path(folder))
        _check_file(chosen, run, Path(folder) / "model.tflite")


def _recipe(method: Method, zoo: str) -> Recipe:
    fields = {"name": method.card.name, **method.model_dump(exclude_none=True)}
    return Recipe.of_zoo(
        zoo, dataset="digits", batch_size=256, learning_rate=0.01, epochs=_EPOCHS, method=fields, flip_ratio=False
    )


def _check_fields(method: Method) -> None:
    name = method.card.name
    assert methods.get(name) is type(method), f"the method registered as {name!r} is {methods.get(name)}"
    nameless = [field for field, info in type(method).model_fields.items() if not info.description]
    assert not nameless, f"hyperparameters without a description: {', '.join(nameless)}"


def _check_quantizers(method: Method) -> None:
    rng = np.random.default_rng(0)
    if quantizer := method.input_quantizer():
        levels = _check_values("input_quantizer", quantizer, np.linspace(-4, 4, 1001, dtype=np.float32))
        _check_values("input_quantizer", quantizer, _EDGES)
        assert method.pad_value in levels, f"pad_value {method.pad_value} is not one of the input's values {levels}"
    if quantizer := method.kernel_quantizer():
        kernel = rng.normal(0, 0.5, (3, 3, 4, 5)).astype(np.float32)
        for each in (kernel, np.zeros((3, 3, 2, 2), np.float32), np.full((1, 1, 1, 2), 0.3, np.float32)):
            _check_kernel(quantizer, each)
        assert np.any(_gradient(quantizer, kernel)), "kernel_quantizer lets no gradient pass"


def _check_kernel(quantizer: LarqQuantizer, kernel: Array) -> None:
    """The values of each filter are few; dead filters and those of one weight have finite ones."""
    for channel in range(kernel.shape[-1]):
        _check_values("kernel_quantizer", lambda x, channel=channel: quantizer(x)[..., channel], kernel)


def _check_values(what: str, quantizer: LarqQuantizer, x: Array) -> Array:
    """The distinct values of a quantizer: finite, few and the same again; its gradient is finite too."""
    y = quantizer(tf.constant(x))
    assert np.isfinite(y).all(), f"{what} gives a value that is not finite for {x.ravel()[:5]}…"
    np.testing.assert_array_equal(quantizer(tf.constant(x)), y, f"{what} gives other values the second time")
    assert np.isfinite(_gradient(quantizer, x)).all(), f"{what} has a gradient that is not finite for {x.ravel()[:5]}…"
    values: Array = np.unique(y)
    assert len(values) <= _MOST_VALUES, f"{what} gives {len(values)} different values"
    return values


def _gradient(quantizer: LarqQuantizer, x: Array) -> Array:
    """Of the sum of a quantizer's values while it trains, of x's shape; 0 where none passes."""
    call: Any = getattr(quantizer, "call", quantizer)
    takes_training = "training" in signature(call).parameters
    with tf.GradientTape() as tape:
        variable = tf.Variable(x)
        y = quantizer(variable, training=True) if takes_training else quantizer(variable)
    gradient = tape.gradient(y, variable)
    return np.zeros_like(x) if gradient is None else np.asarray(gradient)


def _check_recipe(recipe: Recipe, path: Path) -> None:
    recipe.write(path)
    assert Recipe.read(path) == recipe, "its hyperparameters do not survive recipe.toml"


def _check_training(recipe: Recipe, folder: Path) -> RunFolder:
    """It learns; a broken training goes on to the weights of the whole one; the saved model computes the same."""
    run, broken = RunFolder(folder / "whole"), RunFolder(folder / "broken")
    model, history = training.train(recipe, run)
    losses = [epoch.metrics["loss"] for epoch in history.epochs]
    # Where a soft quantizer hardens within few epochs the last ones are the hardest.
    assert min(losses[1:]) < losses[0], f"the loss does not fall: {losses}"
    _leave_one_epoch_out(run, broken)
    resumed, _ = training.train(recipe, broken, resume=True)
    for weight, mine, theirs in zip(model.weights, model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs, f"{weight.name} differs after a resumed training")
    loaded = tf.keras.models.load_model(run.model, compile=False)
    np.testing.assert_array_equal(_outputs(loaded), _outputs(model), "the saved model computes something else")
    return run


def _leave_one_epoch_out(run: RunFolder, broken: RunFolder) -> None:
    """Copies what a training has on disk after its last epoch but one."""
    broken.checkpoints.mkdir(parents=True)
    name = f"epoch-{_EPOCHS - 1:05d}"
    copytree(run.checkpoints / name, broken.checkpoints / name)
    broken.recipe.write_bytes(run.recipe.read_bytes())


def _outputs(model: KerasModel) -> Array:
    images = np.random.default_rng(1).normal(size=(8, *model.input_shape[1:])).astype(np.float32)
    return np.asarray(model(images, training=False))


def _check_file(method: Method, run: RunFolder, path: Path) -> None:
    """The file computes what Keras does, with every layer binary; `convert` compares them bit for bit."""
    wanted, deploy_class = method.card.binary_convolutions, method.card.deploy_class
    if wanted:
        conversion = converters.convert(run.model, path)
        assert not conversion.float_layers, f"layers stay float in the file: {conversion.float_layers}"
        found = sum(operator.name == "LceBconv2d" for operator in conversion.operators.operators)
        layers = len(conversion.layers)
        assert found == wanted * layers, f"{layers} layers became {found} binary convolutions, not {wanted} each"
        return
    try:
        converters.convert(run.model, path)
    except MobileBnnError:
        return
    raise AssertionError(f"a method of the deploy class {deploy_class!r} has binary layers in the file")
