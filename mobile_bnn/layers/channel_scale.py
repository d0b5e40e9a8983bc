"""Learned factors of a map: one for each channel, row and column, as a method asks for."""

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Options, TfTensor

_DIMENSION = {"row": 1, "column": 2, "channel": -1}


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class ChannelScale(tf.keras.layers.Layer):  # type: ignore[misc]
    """x ⊙ Γ, [N, H, W, C], Γ the outer product of a learned factor for each index of some dimensions.

    Args:
        initial: all factors at the start.
        axes: what there are factors of: "channel", "row" and "column", in any number.
    """

    def __init__(self, initial: float = 1.0, axes: tuple[str, ...] = ("channel",), **options: object) -> None:
        super().__init__(**options)
        self._initial, self._axes = initial, tuple(axes)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        initializer = tf.keras.initializers.Constant(self._initial)
        self._factors = []
        for axis in self._axes:
            shape = [1] * (len(input_shape) - 1)
            dimension = _DIMENSION[axis]
            place = dimension - 1 if dimension > 0 else dimension
            shape[place] = input_shape[dimension]
            self._factors.append(self.add_weight(name=axis, shape=shape, initializer=initializer))
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        for factor in self._factors:
            inputs = inputs * factor
        return inputs

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "initial": self._initial, "axes": list(self._axes)}
