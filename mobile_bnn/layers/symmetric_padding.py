"""Convolutions that pad as much after a map as before it, as PyTorch does.

TensorFlow's "same" pads an even map for a 3x3 filter with stride 2 on one side alone, (0, 1); `nn.Conv2d(padding=1)`
pads (1, 1), and each of its windows lies one pixel before that of "same".
"""

from typing import Any

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


@_REGISTER
class SymmetricQuantConv2D(larq.layers.QuantConv2D):  # type: ignore[misc]
    """A `QuantConv2D` whose "same" padding is d·(k // 2) on every side, around the quantized map.

    [N, H, W, C] to [N, (H − 1) // stride + 1, (W − 1) // stride + 1, filters] for odd filters, the sizes of "same".
    """

    def __init__(self, *shape: Any, **options: Any) -> None:
        super().__init__(*shape, **options)
        # Larq leaves a padding with zeros to Keras, which knows the one-sided form only: the same one where odd filters
        # move by one pixel.
        if self.strides != (1, 1) or any(k % 2 == 0 for k in self.kernel_size):
            self._is_native_padding = self.padding != "same"

    def _get_spatial_padding_same(self, shape: Any) -> list[tuple[int, int]]:
        return [(pad, pad) for pad in self._pads()]

    def _get_padding_same_shape(self, input_shape: Any) -> Any:
        batch, height, width, channels = tf.TensorShape(input_shape).as_list()
        padded = [None if n is None else n + 2 * p for n, p in zip((height, width), self._pads(), strict=True)]
        return tf.TensorShape([batch, *padded, channels])

    def _pads(self) -> list[int]:
        return [d * (k // 2) for k, d in zip(self.kernel_size, self.dilation_rate, strict=True)]


def pad_evenly(x: KerasTensor, size: int, name: str) -> KerasTensor:
    """A float map with size // 2 zeros on every side, for a convolution of that size without padding of its own."""
    return tf.keras.layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)


@_REGISTER
class SymmetricMaxPooling2D(tf.keras.layers.MaxPooling2D):  # type: ignore[misc]
    """A maximum pooling that looks k // 2 pixels beyond the map on every side, where nothing is: PyTorch's padding.

    [N, H, W, C] to [N, (H − 1) // stride + 1, (W − 1) // stride + 1, C] for odd sizes k.
    """

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Keras's hook."""
        around = [[k // 2, k // 2] for k in self.pool_size]
        padded = tf.pad(inputs, [[0, 0], *around, [0, 0]], constant_values=inputs.dtype.min)
        return tf.nn.max_pool2d(padded, self.pool_size, self.strides, "VALID")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Keras's hook."""
        batch, height, width, channels = tf.TensorShape(input_shape).as_list()
        sizes = [None if n is None else (n - 1) // s + 1 for n, s in zip((height, width), self.strides, strict=True)]
        return tf.TensorShape([batch, *sizes, channels])
