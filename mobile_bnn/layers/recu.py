"""ReCU's rectified clamp unit, and the scale of activations while a model trains.

Xu et al., "ReCU: Reviving the Dead Weights in Binary Neural Networks", ICCV 2021.
"""

import math

from mobile_bnn.layers.estimators import identity, piecewise_polynomial, sign, sign_with
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.layers.weight_scales import per_filter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_EPSILON = 1e-5


def normalized(kernel: TfTensor) -> TfTensor:
    """ŵ = 2√2·(w − mean)/√(var + 1e-5) of each filter, var with n − 1 as in the authors' code."""
    axes = per_filter(kernel)
    difference = kernel - tf.reduce_mean(kernel, axes, keepdims=True)
    count = kernel.shape.num_elements() // kernel.shape[-1]
    variance = tf.reduce_sum(tf.square(difference), axes) / max(count - 1, 1)
    return 2.0 * math.sqrt(2.0) * difference / tf.sqrt(variance + _EPSILON)


def quantile(kernel: TfTensor, tau: TfTensor) -> TfTensor:
    """Q(τ) = −mean|ŵ|·ln(2 − 2τ): the τ-quantile of a Laplace distribution of that mean magnitude (equation 14)."""
    return -tf.reduce_mean(tf.abs(kernel)) * tf.math.log(2.0 - 2.0 * tau)


@_REGISTER
class RectifiedClampSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """sign(clip(ŵ, −Q(τ), Q(τ))), backward the identity through the clip: weights far out come back.

    Args:
        tau: τ at the start; a variable that the method's schedule sets.
    """

    precision = 1

    def __init__(self, tau: float = 0.85, **options: str) -> None:
        super().__init__(**options)
        self._initial = tau
        self.tau = schedule_variable(tau, "tau")

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        weights = normalized(inputs)
        bound = tf.stop_gradient(quantile(weights, tf.cast(self.tau, inputs.dtype)))
        return sign_with(identity, tf.maximum(tf.minimum(weights, bound), -bound), tf.ones([]))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "tau": self._initial}


@_REGISTER
class ScaledInTrainingSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """sign(a), backward (2 − 2|v|)₊ with v = a/√(var(a) + 1e-5) of each sample while it trains, v = a otherwise."""

    precision = 1

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        if not training:
            return sign(inputs)
        axes = tuple(range(1, len(inputs.shape)))
        variance = tf.math.reduce_variance(inputs, axes, keepdims=True)
        return sign_with(piecewise_polynomial, inputs / tf.sqrt(variance + _EPSILON), tf.ones([]))
