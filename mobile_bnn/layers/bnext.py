"""BNext's small layers: a learned shift of each channel, and a learned mean of two maps.

Guo, Bethge, Yang, Zhu, Meinel: "Join the High Accuracy Club on ImageNet with a Binary Neural Network Ticket",
arXiv:2211.12933.
"""

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


@_REGISTER
class ChannelShift(tf.keras.layers.Layer):  # type: ignore[misc]
    """x + b with a learned b of each channel, 0 at the start."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        self._shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return inputs + self._shift


@_REGISTER
class ChannelMix(tf.keras.layers.Layer):  # type: ignore[misc]
    """m·a + (1 − m)·b of [a, b], with a learned m of each channel that is clipped to [0, 1]; ½ at the start."""

    def build(self, input_shape: list[tuple[int, ...]]) -> None:
        """Keras's hook."""
        half = tf.keras.initializers.Constant(0.5)
        self._share = self.add_weight(name="share", shape=(input_shape[0][-1],), initializer=half)
        super().build(input_shape)

    def call(self, inputs: list[TfTensor]) -> TfTensor:
        """Keras's hook."""
        share = tf.clip_by_value(self._share, 0.0, 1.0)
        return share * inputs[0] + (1.0 - share) * inputs[1]
