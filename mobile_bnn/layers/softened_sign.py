"""BNext's weights, which are soft while a model trains (Guo, Bethge, Yang, Zhu, Meinel: "Join the High Accuracy Club
on ImageNet with a Binary Neural Network Ticket", 2022).
"""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class SoftenedSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """clip(w/T, −1, 1) in training, sign(w) at inference; backward the identity.

    Args:
        temperature: T at the start; a variable that the method's schedule sets. At 0 it is the sign.
    """

    precision = 1
    _SMALLEST = 1e-7  # below it the authors' code takes the sign

    def __init__(self, temperature: float = 1.0, **options: str) -> None:
        super().__init__(**options)
        self._initial = temperature
        self.temperature = schedule_variable(temperature, "temperature")

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        value = sign(inputs)
        if training:
            temperature = tf.cast(self.temperature, inputs.dtype)
            soft = tf.clip_by_value(inputs / tf.maximum(temperature, self._SMALLEST), -1.0, 1.0)
            value = tf.where(temperature < self._SMALLEST, value, soft)
        return with_gradient(inputs, value, tf.ones_like(inputs))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "temperature": self._initial}
