"""What `mobile_bnn.testing` offers."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mobile_bnn import methods
from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods import Method
from mobile_bnn.methods.checked import Checked
from mobile_bnn.testing.device_check import check_devices
from mobile_bnn.testing.file_check import check_file
from mobile_bnn.testing.layer_checks import check_half_precision, check_phases
from mobile_bnn.testing.quantizer_checks import check_quantizers
from mobile_bnn.testing.training_checks import check_learning, check_training, outputs_of_noise
from mobile_bnn.training import Recipe

_EPOCHS = 3
_CHANCE = 0.1  # of ten classes


def check_method(
    method: str | Method, *, zoo: str | None = None, epochs: int = _EPOCHS, least_accuracy: float = 3 * _CHANCE
) -> Checked:
    """Checks a registered method: its layers, on several devices, and a training with its resumption and its file.

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
    check_layers(chosen)
    check_devices(chosen)
    with TemporaryDirectory() as folder:
        run, history = check_training(_recipe(chosen, zoo, epochs), Path(folder))
        best = check_learning(history, least_accuracy)
        layers, found = check_file(chosen, run.model, Path(folder) / "model.tflite")
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
    """Checks what is quick to check: quantizers and recipe, then two layers, with a step in each phase.

    They are stepped in mixed precision, too, saved, loaded and converted.

    Args:
        method: as for `check_method`.

    Raises:
        AssertionError: what does not hold.
        MobileBnnError: the method cannot be built, trained or converted.
    """
    chosen = _for_short_training(method) if isinstance(method, str) else method
    _check_fields(chosen)
    check_quantizers(chosen)
    with TemporaryDirectory() as folder:
        _check_recipe(_recipe(chosen, "binary_lenet", _EPOCHS), Path(folder) / "recipe.toml")
        check_half_precision(chosen)
        model = check_phases(chosen, Path(folder) / "phases")
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = tf.keras.models.load_model(path, compile=False)
        np.testing.assert_array_equal(
            outputs_of_noise(loaded), outputs_of_noise(model), "the saved model computes something else"
        )
        check_file(chosen, path, Path(folder) / "model.tflite")


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


def _check_recipe(recipe: Recipe, path: Path) -> None:
    recipe.write(path)
    assert Recipe.read(path) == recipe, "its hyperparameters do not survive recipe.toml"
