"""Weights on a uniform grid between the least and the greatest one of their bucket.

Polino, Pascanu, Alistarh: "Model Compression via Distillation and Quantization", ICLR 2018, section 2.
"""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_SMALLEST = 1e-10  # a bucket that spans less has one value


def on_grid(buckets: TfTensor, levels: int) -> TfTensor:
    """β + α·round((v − β)/α·(s − 1))/(s − 1) of each row, β its least value, α its span; halves to the even number.

    Args:
        buckets: float32 [n, size].
        levels: s.
    """
    low = tf.reduce_min(buckets, axis=1, keepdims=True)
    span = tf.reduce_max(buckets, axis=1, keepdims=True) - low
    wide = span > _SMALLEST
    steps = tf.cast(levels - 1, buckets.dtype)
    rounded = tf.round((buckets - low) / tf.where(wide, span, 1.0) * steps) / steps
    return tf.where(wide, low + span * rounded, low)


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class BucketedGrid(larq.quantizers.Quantizer):  # type: ignore[misc]
    """`on_grid` of a kernel's weights, filter after filter, in buckets of one size; backward the identity.

    The last bucket may be shorter. In a filter the taps of an input channel lie together, as in PyTorch's kernels.

    Args:
        bits: of 2^bits levels.
        size: of a bucket.
    """

    def __init__(self, bits: int = 4, size: int = 256, **options: str) -> None:
        super().__init__(**options)
        self.precision, self._size = bits, size

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        rank = len(inputs.shape)
        order = [rank - 1, rank - 2, *range(rank - 2)]
        rows = tf.transpose(inputs, order)
        flat = tf.reshape(rows, (-1,))
        count = inputs.shape.num_elements()
        filling = -count % self._size
        full = tf.concat([flat, tf.repeat(flat[-1:], filling)], axis=0)  # changes neither end of the last bucket
        buckets = on_grid(tf.reshape(full, (-1, self._size)), 2**self.precision)
        back = [order.index(axis) for axis in range(rank)]
        quantized = tf.transpose(tf.reshape(tf.reshape(buckets, (-1,))[:count], rows.shape), back)
        return with_gradient(inputs, quantized, tf.ones_like(inputs))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bits": self.precision, "size": self._size}
