"""Reads the Keras models that trainings saved."""

from importlib import import_module
from pathlib import Path
from zipfile import BadZipFile

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.legacy_keras import tf
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.typing import KerasModel


def saved_model(file: Path) -> KerasModel:
    """The model in a .keras file, not compiled.

    Raises:
        MobileBnnError: it cannot be read.
    """
    import_module("mobile_bnn.layers")  # Keras looks quantizers up by name
    recipe = RunFolder(file.parent).recipe
    if recipe.is_file():
        Recipe.read(recipe)  # which loads the package that its method is of
    try:
        return tf.keras.models.load_model(file, compile=False)
    except (OSError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise MobileBnnError(f"{file} cannot be read as a Keras model", why=first_line(error)) from error
