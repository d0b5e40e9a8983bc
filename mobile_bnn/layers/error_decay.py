"""IR-Net's quantizers: the sign with an error-decay estimator (EDE), and weights that retain their information.

Qin et al., "Forward and Backward Information Retention for Accurate Binary Neural Networks", CVPR 2020, sections 3.2
(Libra parameter binarization) and 3.3 (EDE).
"""

from collections.abc import Callable

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


def error_decay_gradient(x: TfTensor, t: TfTensor) -> TfTensor:
    """g'(x) = k·t·(1 − tanh²(t·x)) with k = max(1/t, 1) (equations 13 and 14): the estimator of the sign's gradient.

    Args:
        x: float32 of any shape.
        t: float32 scalar above 0. At small t the estimator is near to the identity, at large t to the sign's gradient.

    Returns:
        float32 of x's shape.
    """
    k = tf.maximum(1.0 / t, 1.0)
    return k * t * (1.0 - tf.square(tf.tanh(t * x)))


def sign(x: TfTensor) -> TfTensor:
    """+1 where x ≥ 0 (also at −0.0, as in Larq; PyTorch's sign, in the authors' code, is 0 at 0), else −1."""
    return tf.where(x >= 0, 1.0, -1.0)


def sign_with_error_decay(x: TfTensor, t: TfTensor) -> TfTensor:
    """The sign of x, whose gradient is estimated by `error_decay_gradient`."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def binarize(x: TfTensor) -> tuple[TfTensor, Callable[[TfTensor], TfTensor]]:
        return sign(x), lambda dy: dy * error_decay_gradient(x, t)

    return binarize(x)


def standardize_filters(kernel: TfTensor) -> TfTensor:
    """(w − mean) / std over each filter, std with n − 1 (equation 5), so that the signs of a filter are balanced.

    Args:
        kernel: float32 [..., filters].

    Returns:
        float32 of the same shape; 0 for a filter whose weights are all equal.
    """
    axes = tuple(range(len(kernel.shape) - 1))
    centred = kernel - tf.reduce_mean(kernel, axes)
    count = kernel.shape.num_elements() // kernel.shape[-1]
    variance = tf.reduce_sum(tf.square(centred), axes) / max(count - 1, 1)
    spread = variance > 0
    return tf.where(spread, centred / tf.sqrt(tf.where(spread, variance, 1.0)), 0.0)


def power_of_two_scale(standardized: TfTensor) -> TfTensor:
    """s = 2^round(log₂ mean|ŵ|) of each filter (equation 8), 1 for a filter of zeros: float32 [filters], a constant."""
    magnitude = tf.reduce_mean(tf.abs(standardized), tuple(range(len(standardized.shape) - 1)))
    exponent = tf.round(tf.math.log(tf.where(magnitude > 0, magnitude, 1.0)) / tf.math.log(2.0))
    return tf.stop_gradient(tf.pow(2.0, exponent))


class _ErrorDecay(larq.quantizers.Quantizer):  # type: ignore[misc]
    """A quantizer with the estimator's t, a variable that `IrNet.schedules` sets."""

    precision = 1

    def __init__(self, t: float = 0.001, **options: str) -> None:
        super().__init__(**options)
        self._initial = t
        self.t = tf.Variable(t, trainable=False, dtype=tf.float32, name="t")

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "t": self._initial}


@_REGISTER
class ErrorDecaySign(_ErrorDecay):
    """sign(x), for activations."""

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return sign_with_error_decay(inputs, self.t)


@_REGISTER
class LibraSign(_ErrorDecay):
    """s·sign(ŵ) with ŵ the standardized filter and s a power of two, for weights."""

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        standardized = standardize_filters(inputs)
        return power_of_two_scale(standardized) * sign_with_error_decay(standardized, self.t)
