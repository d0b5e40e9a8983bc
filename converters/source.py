"""Loads the Keras models that can be converted."""

from pathlib import Path
from typing import Any

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.legacy_keras import tf


def load_model(path: Path) -> Any:
    """A Keras model from a file or folder: `.keras`, `.h5` or a Keras SavedModel; not compiled.

    Raises:
        UsageError: there is nothing at that path.
        MobileBnnError: Keras cannot read it.
    """
    if not path.exists():
        raise UsageError(f"there is no Keras model {path}")
    try:
        model = tf.keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the broken part of a file leads to
        raise MobileBnnError(f"{path} is not a Keras 2 model that can be loaded", why=first_line(error)) from error
    if not isinstance(model, tf.keras.Model):
        raise MobileBnnError(f"{path} is a SavedModel without its Keras model", cure="Save it with Keras as .keras")
    return model
