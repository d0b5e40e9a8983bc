"""Smooth functions that become the sign while a model trains: its forward pass is soft, the file's is hard.

While it trains each has its own exact derivative; at inference all are `sign`.
"""

from collections.abc import Callable

from mobile_bnn.layers.estimators import sign
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor


def scaled_tanh(x: TfTensor, slope: TfTensor) -> TfTensor:
    """tanh(νx) (Self-Binarizing Networks, Lahoud et al. 2019, equation 4)."""
    return tf.tanh(slope * x)


def shifted_sigmoid(x: TfTensor, slope: TfTensor) -> TfTensor:
    """2σ(λx) − 1 (Improved Training of Binary Networks, Bulat et al. 2019, section 4.3)."""
    return 2.0 * tf.sigmoid(slope * x) - 1.0


def soft_sign(x: TfTensor, slope: TfTensor) -> TfTensor:
    """λx / (1 + |λx|) (the same)."""
    return tf.math.softsign(slope * x)


SOFT_SIGNS: dict[str, Callable[[TfTensor, TfTensor], TfTensor]] = {
    function.__name__: function for function in (scaled_tanh, shifted_sigmoid, soft_sign)
}


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class SoftSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """A soft sign in training, the sign at inference.

    Args:
        function: a name of `SOFT_SIGNS`.
        slope: at the start; a variable that the method's schedule sets.
    """

    precision = 1

    def __init__(self, function: str = "scaled_tanh", slope: float = 1.0, **options: str) -> None:
        super().__init__(**options)
        self._function, self._initial = function, slope
        self.slope = schedule_variable(slope, "slope")

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        if not training:
            return sign(inputs)
        return SOFT_SIGNS[self._function](inputs, tf.cast(self.slope, inputs.dtype))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "function": self._function, "slope": self._initial}
