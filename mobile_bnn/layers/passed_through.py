"""Scaled signs whose gradient goes to the latent weights as it is."""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign
from mobile_bnn.layers.weight_scales import SCALES
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class PassedThroughSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """scale(w) · sign(w), backward the identity: neither the scale nor a mask changes the gradient.

    Args:
        scale: a name of `weight_scales.SCALES`.
    """

    precision = 1

    def __init__(self, scale: str = "constant_layer_mean", **options: str) -> None:
        super().__init__(**options)
        self._scale = scale

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return with_gradient(inputs, SCALES[self._scale](inputs) * sign(inputs), tf.ones_like(inputs))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "scale": self._scale}
