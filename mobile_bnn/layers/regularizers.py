"""Losses on latent weights."""

from mobile_bnn.layers.weight_scales import filter_mean
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Options, TfTensor


def filter_median(kernel: TfTensor) -> TfTensor:
    """The median magnitude of each filter, float32 [filters]: the lower one of an even number."""
    rows = tf.sort(tf.abs(tf.reshape(kernel, (-1, kernel.shape[-1]))), axis=0)
    return rows[(rows.shape[0] - 1) // 2]


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class ToPlusMinusAlpha(tf.keras.regularizers.Regularizer):  # type: ignore[misc]
    """strength · Σ|α − |w||^power, α that of each filter which makes it least (BNN+, section 3.2).

    That is the median of |w| for power 1 and the mean for power 2; no gradient passes through it, for its is 0 there.
    """

    def __init__(self, strength: float = 1e-6, power: int = 1) -> None:
        self._strength, self._power = strength, power

    def __call__(self, w: TfTensor) -> TfTensor:
        """Keras's hook: a float32 scalar."""
        alpha = tf.stop_gradient(filter_median(w) if self._power == 1 else filter_mean(w))
        distance = tf.abs(alpha - tf.abs(w))
        return self._strength * tf.reduce_sum(distance if self._power == 1 else tf.square(distance))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {"strength": self._strength, "power": self._power}
