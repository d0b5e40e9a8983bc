"""A&B BNN's weights, its sign behind a mask, and its PReLU whose slopes are powers of two.

Ma, Qiao, Liu, Meng, Ning, Liu, Hu: "A&B BNN: Add&Bit-Operation-Only Hardware-Friendly Binary Neural Network",
CVPR 2024.
"""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign
from mobile_bnn.layers.weight_scales import centred, filter_mean, per_filter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_EPSILON = 1e-5
_STEEPNESS = 3.0  # of the sigmoid whose derivative stands for the sign's


def scaled_standard(kernel: TfTensor) -> TfTensor:
    """v = (w − mean)/((std + 1e-5)·√n) of each filter of n weights: scaled weight standardization."""
    axes = per_filter(kernel)
    difference = centred(kernel)
    # Of a dead filter the root has no derivative; its filter stays as it is.
    variance = tf.reduce_mean(tf.square(difference), axes)
    deviation = tf.where(variance > 0.0, tf.sqrt(tf.where(variance > 0.0, variance, 1.0)), 0.0)
    count = kernel.shape.num_elements() // kernel.shape[-1]
    return difference / ((deviation + _EPSILON) * float(count) ** 0.5)


@_REGISTER
class StandardizedMeanSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """mean|v|·sign(v) of each filter, v of `scaled_standard`; backward 1{|v| ≤ 1} to v, and through it."""

    precision = 1

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        v = scaled_standard(tf.cast(inputs, tf.float32))
        inside = tf.cast(tf.abs(v) <= 1.0, tf.float32)
        return tf.cast(with_gradient(v, filter_mean(v) * sign(v), inside), inputs.dtype)


@_REGISTER
class MaskedSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """sign(z), z = β·x + b with a learned b of each channel; backward 2·3σ(3z)(1 − σ(3z)).

    β, above 0, changes the gradient only: at inference the mask is a part of the shift.

    Args:
        mask: β.
        shifted: whether there is a b.
    """

    precision = 1

    def __init__(self, mask: float = 1.0, shifted: bool = True, **options: str) -> None:
        super().__init__(**options)
        self._mask, self._shifted = mask, shifted

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        if self._shifted:
            self.shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        z = self._mask * inputs
        if self._shifted:
            z = z + tf.cast(self.shift, inputs.dtype)
        # σ(3z)(1 − σ(3z)) as e/(1 + e)² with e = exp(−3|z|), of which no digits cancel.
        decay = tf.exp(-_STEEPNESS * tf.abs(z))
        return with_gradient(z, sign(z), 2.0 * _STEEPNESS * decay / tf.square(1.0 + decay))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "mask": self._mask, "shifted": self._shifted}


@_REGISTER
class StandardizedConv2D(tf.keras.layers.Conv2D):  # type: ignore[misc]
    """A float convolution by g·v, v of `scaled_standard`, with a learned gain g of each filter, 1 at the start."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        super().build(input_shape)
        self.gain = self.add_weight(name="gain", shape=(self.filters,), initializer="ones")

    def convolution_op(self, inputs: TfTensor, kernel: TfTensor) -> TfTensor:
        """Keras's hook."""
        return super().convolution_op(inputs, self.gain * scaled_standard(kernel))


@_REGISTER
class PowerOfTwoPReLU(tf.keras.layers.Layer):  # type: ignore[misc]
    """f(x + b₁) + b₂, f the identity above 0 and 2^round(l)·x below; b₁, b₂ and l of each channel are learned.

    The rounding is straight through to the gradient; l starts at −3.
    """

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        channels, start = (input_shape[-1],), tf.keras.initializers.Constant(-3.0)
        self.before = self.add_weight(name="before", shape=channels, initializer="zeros")
        self.after = self.add_weight(name="after", shape=channels, initializer="zeros")
        self.exponent = self.add_weight(name="exponent", shape=channels, initializer=start)
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        shifted = inputs + self.before
        exponent = tf.cast(self.exponent, tf.float32)
        slope = tf.pow(2.0, with_gradient(exponent, tf.round(exponent), tf.ones_like(exponent)))
        return tf.nn.relu(shifted) - tf.cast(slope, inputs.dtype) * tf.nn.relu(-shifted) + self.after
