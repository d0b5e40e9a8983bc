"""Bitwise neural networks' two phases: tanh, then signs of which weights near 0 become 0.

Kim, Smaragdis: "Bitwise Neural Networks", ICML workshop on resource-efficient machine learning 2015.
"""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


def dead_zone(kernel: TfTensor, share: float) -> TfTensor:
    """The least β with |w| < β for a share of the layer's weights, rounded down: a scalar of the kernel's type."""
    magnitudes = tf.sort(tf.reshape(tf.abs(kernel), [-1]))
    return magnitudes[int(share * kernel.shape.num_elements())]


@_REGISTER
class Tanh(larq.quantizers.Quantizer):  # type: ignore[misc]
    """tanh(x) with its own derivative: of the first phase, which is not quantized."""

    precision = 32

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return tf.tanh(inputs)


@_REGISTER
class SignOfTanh(larq.quantizers.Quantizer):  # type: ignore[misc]
    """sign(a), backward 1 − tanh²(a)."""

    precision = 1

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return with_gradient(inputs, sign(inputs), 1.0 - tf.square(tf.tanh(inputs)))


@_REGISTER
class SparseSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """0 where |w| < β, else sign(w); backward 1 − tanh²(w). β is `dead_zone`'s.

    Args:
        share: of the weights that become 0, λ of the paper.
    """

    precision = 1

    def __init__(self, share: float = 0.0, **options: str) -> None:
        super().__init__(**options)
        self._share = share

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        signs = sign(inputs)
        if self._share:
            signs = tf.where(tf.abs(inputs) < dead_zone(inputs, self._share), tf.zeros_like(signs), signs)
        return with_gradient(inputs, signs, 1.0 - tf.square(tf.tanh(inputs)))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "share": self._share}
