"""BNN-DL's loss on what is about to be binarized.

Ding, Chin, Liu, Marculescu: "Regularizing Activation Distribution for Training Binarized Deep Networks", CVPR 2019,
section 3.
"""

from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Options, TfTensor

_EPSILON = 1e-10


def distribution_loss(mean: TfTensor, deviation: TfTensor) -> TfTensor:
    """L₁ + L₂ of channels with a mean μ and a standard deviation σ, float32 in their shape.

    L₁ = (min(2 − μ − σ, 2 + μ − σ))₊² + (σ − 4)₊² is above 0 where all lie where the gradient passes (saturation), or
    too far (gradient mismatch); L₂ = (μ² − σ²)₊ where all have one sign (degeneration).
    """
    inner = tf.nn.relu(tf.minimum(2.0 - mean - deviation, 2.0 + mean - deviation))
    outer = tf.nn.relu(deviation - 4.0)
    return tf.square(inner) + tf.square(outer) + tf.nn.relu(tf.square(mean) - tf.square(deviation))


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class DistributionLoss(tf.keras.layers.Layer):  # type: ignore[misc]
    """Passes a map on, and adds strength · mean over the channels of `distribution_loss` while it trains.

    Args:
        strength: λ of this layer; a variable, which the method's schedule sets to 0 in the end.
    """

    def __init__(self, strength: float = 2.0, **options: object) -> None:
        super().__init__(**options)
        self._initial = strength
        self.strength = schedule_variable(strength, "strength")

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        if training:
            axes = tuple(range(len(inputs.shape) - 1))
            mean, variance = tf.nn.moments(tf.cast(inputs, tf.float32), axes)
            self.add_loss(self.strength * tf.reduce_mean(distribution_loss(mean, tf.sqrt(variance + _EPSILON))))
        return tf.identity(inputs)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "strength": self._initial}
