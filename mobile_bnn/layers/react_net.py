"""ReActNet's shifts: of activations before their sign, and around a PReLU.

Liu, Shen, Savvides, Cheng: "ReActNet: Towards Precise Binary Neural Network with Generalized Activation Functions",
ECCV 2020, section 4.2.
"""

from mobile_bnn.layers.estimators import piecewise_polynomial, sign_with
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


@_REGISTER
class ShiftedSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """RSign: sign(x + b) with a learned b of each channel, backward (2 − 2|x + b|)₊ to both (equation 3).

    The paper subtracts a threshold, the authors' code adds b; it starts at 0.
    """

    precision = 1

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        self.shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return sign_with(piecewise_polynomial, inputs + tf.cast(self.shift, inputs.dtype), tf.ones([]))


@_REGISTER
class ShiftedPReLU(tf.keras.layers.Layer):  # type: ignore[misc]
    """RPReLU: f(x + b₁) + b₂ with f the identity above 0 and β·x below; b₁, b₂ and β of each channel (equation 5).

    Args:
        slope: β at the start, 0.25 as PyTorch's PReLU.
    """

    def __init__(self, slope: float = 0.25, **options: object) -> None:
        super().__init__(**options)
        self._initial = slope

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        channels = (input_shape[-1],)
        self._before = self.add_weight(name="before", shape=channels, initializer="zeros")
        self._after = self.add_weight(name="after", shape=channels, initializer="zeros")
        constant = tf.keras.initializers.Constant(self._initial)
        self._slope = self.add_weight(name="slope", shape=channels, initializer=constant)
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        shifted = inputs + self._before
        return tf.nn.relu(shifted) - self._slope * tf.nn.relu(-shifted) + self._after

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "slope": self._initial}
