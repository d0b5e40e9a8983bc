"""Functions as float .tflite files, written by TensorFlow's own converter."""

from collections.abc import Callable
from typing import Any

from absl import logging

from mobile_bnn.legacy_keras import tf
from mobile_bnn.native_output import caught_stderr


def to_float(function: Callable[..., Any], *shapes: tuple[int | None, ...], **options: Any) -> bytes:
    """A function of float32 tensors; options are the converter's attributes."""
    concrete = tf.function(function).get_concrete_function(*(tf.TensorSpec(shape) for shape in shapes))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], None)
    for name, value in options.items():
        setattr(converter, name, value)
    with caught_stderr():
        logging.set_verbosity(logging.ERROR)
        return bytes(converter.convert())
