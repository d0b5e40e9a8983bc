"""What is done to latent weights after every step, in the training step itself."""

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


@_REGISTER
class CentreAndClip(tf.keras.constraints.Constraint):  # type: ignore[misc]
    """w − mean of w over the input channels, then clipped to ±1: before each step of XNOR-Net's official code."""

    def __call__(self, w: TfTensor) -> TfTensor:
        """Keras's hook: a kernel [..., input channels, filters]."""
        return tf.clip_by_value(w - tf.reduce_mean(w, axis=-2, keepdims=True), -1.0, 1.0)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {}
