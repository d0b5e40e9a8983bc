"""SYQ's weights: signs with a learned scale for each place in a filter, or each row of it.

Faraone, Fraser, Blott, Leong: "SYQ: Learning Symmetric Quantization for Efficient Deep Neural Networks", CVPR 2018.
"""

from collections.abc import Callable

from mobile_bnn.layers.estimators import sign
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_SHARED_AXES = {"pixel": (2, 3), "row": (1, 2, 3), "layer": (0, 1, 2, 3)}


def shared_axes(rank: int, groups: str) -> tuple[int, ...]:
    """The axes of a kernel along which its scale is the same; a dense layer's has one scale."""
    return _SHARED_AXES[groups] if rank == 4 else tuple(range(rank))


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class SubgroupSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """α·sign(w), α learned; backward g to w, and Σ g·sign(w) over what shares it to α.

    Args:
        groups: "pixel": α for each place in a filter; "row": for each row; "layer": one.
        binary: False gives w itself, and 0 as the gradient of α: before the scales begin, so that a checkpoint of
            float weights has them too.
    """

    precision = 1

    def __init__(self, groups: str = "pixel", binary: bool = True, **options: str) -> None:
        super().__init__(**options)
        self._groups, self._binary = groups, binary

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        self._shared = shared_axes(len(input_shape), self._groups)
        shape = [1 if axis in self._shared else size for axis, size in enumerate(input_shape)]
        self.scales = self.add_weight(name="scales", shape=shape, initializer="ones")
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def scaled(w: TfTensor, scales: TfTensor) -> tuple[TfTensor, Callable[[TfTensor], tuple[TfTensor, TfTensor]]]:
            if not self._binary:
                return tf.identity(w), lambda dy: (dy, tf.zeros_like(scales))
            signs = sign(w)
            return scales * signs, lambda dy: (dy, tf.reduce_sum(dy * signs, self._shared, keepdims=True))

        return scaled(inputs, tf.cast(self.scales, inputs.dtype))

    def begin_at(self, kernel: TfTensor) -> None:
        """α := mean|w| of what shares it."""
        if not self.built:
            self(kernel)
        self.scales.assign(tf.reduce_mean(tf.abs(kernel), self._shared, keepdims=True))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "groups": self._groups, "binary": self._binary}
