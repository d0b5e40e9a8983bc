"""The activation of IR-Net's networks: values between -1 and 1 pass, others are cut off."""

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfTensor


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class HardTanh(tf.keras.layers.Layer):  # type: ignore[misc]
    """min(max(x, -1), 1), float32 of any shape; PyTorch's `Hardtanh`."""

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return tf.clip_by_value(inputs, -1.0, 1.0)
