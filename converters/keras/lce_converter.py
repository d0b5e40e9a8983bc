"""The converters that we stand on: LCE's for the binary file, TensorFlow's own for the float one."""

import warnings
from typing import Any

from mobile_bnn.converters.keras.errors import cause_of
from mobile_bnn.converters.keras.signing import in_keras_order
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.legacy_keras import tf
from mobile_bnn.native_output import caught_stderr
from mobile_bnn.typing import KerasModel


def to_binary(model: KerasModel) -> bytes:
    """Converts a Keras model with LCE: a .tflite with its custom operators.

    Raises:
        MobileBnnError: LCE refuses the model.
    """
    with caught_stderr() as printed:  # also LCE's import tells what nobody asked
        import larq_compute_engine as lce

        error = _attempt(lambda: lce.convert_keras_model(model))
    if isinstance(error, bytes):
        return in_keras_order(error, model)
    told = [line for line in printed if "error:" in line]
    raise MobileBnnError("LCE's converter refuses the model", why=told[0] if told else first_line(error))


def to_float(model: KerasModel) -> bytes:
    """Converts a Keras model with TensorFlow's converter, batch 1: builtin float operators only.

    Raises:
        MobileBnnError: TensorFlow's converter refuses the model.
    """
    images = [tf.TensorSpec((1, *image.shape[1:]), image.dtype, image.name) for image in model.inputs]
    function = tf.function(lambda *given: model(given if len(given) > 1 else given[0], training=False))

    def convert() -> Any:
        # Without the model as second argument nothing is saved to disk on the way.
        return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function(*images)]).convert()

    with caught_stderr():
        result = _attempt(convert)
    if isinstance(result, bytes):
        return in_keras_order(result, model)
    raise MobileBnnError("TensorFlow's converter refuses the model", why=str(cause_of(result))) from result


def _attempt(convert: Any) -> bytes | Exception:
    """The converter's answer, or whatever it raised: the two converters have no common error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bytes(convert())
        except Exception as error:
            return error
