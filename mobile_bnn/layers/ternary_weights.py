"""Weights of three values: Ternary Weight Networks' (Li and Liu, arXiv:1605.04711)."""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.weight_scales import filter_mean, per_filter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_SHARE = 0.7  # of the mean magnitude: what is best for Gaussian and uniform weights, nearly


def ternary_levels(kernel: TfTensor) -> tuple[TfTensor, TfTensor]:
    """Δ = 0.7·mean|w| and α = the mean of |w| above Δ, of each filter: float32 [filters] (equations 6 and 7)."""
    magnitude, threshold = tf.abs(kernel), _SHARE * filter_mean(kernel)
    kept = tf.cast(magnitude > threshold, kernel.dtype)
    count = tf.reduce_sum(kept, per_filter(kernel))
    return threshold, tf.math.divide_no_nan(tf.reduce_sum(kept * magnitude, per_filter(kernel)), count)


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class TernaryWeights(larq.quantizers.Quantizer):  # type: ignore[misc]
    """α·sign(w) where |w| > Δ, else 0, with `ternary_levels`; backward the identity."""

    precision = 2

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        threshold, alpha = ternary_levels(inputs)
        kept = tf.cast(tf.abs(inputs) > threshold, inputs.dtype)
        return with_gradient(inputs, alpha * kept * tf.sign(inputs), tf.ones_like(inputs))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return dict(super().get_config())
