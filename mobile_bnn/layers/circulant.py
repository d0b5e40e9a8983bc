"""Circulant filters: every learned filter also stands turned by 90°, 180° and 270°.

Liu, Ding, Xia, Hu, Zhang, Liu, Zhuang, Guo: "Circulant Binary Convolutional Networks: Enhancing the Performance of
1-bit DCNNs with Circulant Back Propagation", CVPR 2019, section 3.
"""

from mobile_bnn.layers.sign_quantizer import Sign
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

ORIENTATIONS = 4
_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


def turned(kernel: TfTensor, quarter_turns: int) -> TfTensor:
    """Each filter turned by quarters, its slices of orientation moved on by as many: float32 [k, k, c, 4, f]."""
    for _ in range(quarter_turns % ORIENTATIONS):
        kernel = tf.reverse(tf.transpose(kernel, (1, 0, 2, 3, 4)), [0])
    return tf.roll(kernel, quarter_turns, axis=3)


def expanded(kernel: TfTensor) -> TfTensor:
    """All four orientations of every filter: float32 [k, k, 4·c, 4·f] of [k, k, 4·c, f].

    Channel 4·i + o is orientation o of map i, of what comes in and of what goes out. The gradient is the upstream one
    turned back and added up: circulant back propagation.
    """
    size, inputs, filters = kernel.shape[0], kernel.shape[2], kernel.shape[3]
    sliced = tf.reshape(kernel, (size, size, inputs // ORIENTATIONS, ORIENTATIONS, filters))
    every = tf.stack([turned(sliced, quarter_turns) for quarter_turns in range(ORIENTATIONS)], axis=-1)
    return tf.reshape(every, (size, size, inputs, ORIENTATIONS * filters))


@_REGISTER
class Circulant(larq.quantizers.Quantizer):  # type: ignore[misc]
    """`expanded`, then α·sign with α = mean|w| of the layer, backward (2 − 2|w|)₊ and through α.

    Args:
        binary: False leaves the expanded kernel float.
    """

    def __init__(self, binary: bool = True, **options: str) -> None:
        super().__init__(**options)
        self._binary = binary
        self.precision = 1 if binary else 32
        self._sign = Sign("piecewise_polynomial", scale="layer_mean")

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        kernel = expanded(inputs)
        return self._sign(kernel) if self._binary else kernel

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "binary": self._binary}


@_REGISTER
class CirculantConv2D(larq.layers.QuantConv2D):  # type: ignore[misc]
    """A convolution with a quarter of its filters as weights, [k, k, c, filters/4]; its `Circulant` makes the rest."""

    filters: int

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        filters = self.filters
        self.filters = filters // ORIENTATIONS
        try:
            super().build(input_shape)
        finally:
            self.filters = filters
