"""XNOR-Net's kernel quantizer with its two gradients, and the scale of its inputs.

Rastegari, Ordonez, Redmon, Farhadi: "XNOR-Net", ECCV 2016, sections 3.1 and 3.2.
"""

from collections.abc import Callable, Sequence

from mobile_bnn.layers.estimators import sign, straight_through_inside
from mobile_bnn.layers.weight_scales import filter_mean
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


def elementwise_gradient(kernel: TfTensor, dy: TfTensor) -> TfTensor:
    """dy · (α·1{|w| < 1} + 1/n) · (1 − 1/c) with n weights in a filter, c input channels.

    Equation 12 of the paper, and the factor of the official code that stands for the centring over c channels. That
    code multiplies by n as well, which Adam does not see.

    Args:
        kernel: float32 [..., c, filters].
        dy: the upstream gradient in its shape.
    """
    count = kernel.shape.num_elements() // kernel.shape[-1]
    inside = straight_through_inside(kernel, tf.ones([], kernel.dtype))
    return dy * (filter_mean(kernel) * inside + 1.0 / count) * (1.0 - 1.0 / max(kernel.shape[-2], 2))


@_REGISTER
class ElementwiseScaledSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """α·sign(w) with α = ‖w‖₁/n of each filter, backward `elementwise_gradient`."""

    precision = 1

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def binarize(w: TfTensor) -> tuple[TfTensor, Callable[[TfTensor], TfTensor]]:
            return filter_mean(w) * sign(w), lambda dy: elementwise_gradient(w, dy)

        return binarize(inputs)


@_REGISTER
class InputScale(tf.keras.layers.Layer):  # type: ignore[misc]
    """K = (mean over the channels of |a|) ∗ k with k a box of 1/(height · width): [N, H, W, C] to [N, H', W', 1].

    Equation 11: the scale of every patch that a convolution of that kernel size and stride sees. Where the patch
    reaches beyond the map, what lies there counts as 0. Padding may be "symmetric" too (`layers.symmetric_padding`).
    """

    def __init__(
        self,
        kernel_size: Sequence[int],
        strides: int = 1,
        dilation: int = 1,
        padding: str = "same",
        **options: object,
    ) -> None:
        super().__init__(**options)
        self._size = list(kernel_size)
        self._geometry: Options = {"strides": strides, "dilation": dilation, "padding": padding}

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        magnitude = tf.reduce_mean(tf.abs(inputs), axis=-1, keepdims=True)
        box = tf.fill([*self._size, 1, 1], tf.constant(1.0 / (self._size[0] * self._size[1]), inputs.dtype))
        padding, dilation = str(self._geometry["padding"]).upper(), self._geometry["dilation"]
        if padding == "SYMMETRIC":
            around = [[dilation * (size // 2)] * 2 for size in self._size]
            magnitude, padding = tf.pad(magnitude, [[0, 0], *around, [0, 0]]), "VALID"
        return tf.nn.conv2d(magnitude, box, self._geometry["strides"], padding, dilations=dilation)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "kernel_size": self._size, **self._geometry}
