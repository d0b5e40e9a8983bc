"""HORQ's layers: the kernel meets the sign of its input, and the signs of what each sign before leaves over.

Li, Ni, Zhang, Yang, Gao: "Performance Guaranteed Network Acceleration via High-Order Residual Quantization", ICCV 2017.
"""

from typing import Any

from mobile_bnn.layers.estimators import sign_with, straight_through
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, Options, TfTensor


def _signs(x: TfTensor) -> TfTensor:
    return sign_with(straight_through, x, tf.ones([]))


def residual_signs(x: TfTensor, order: int, quantizer: KerasFunction = _signs) -> list[tuple[TfTensor, TfTensor]]:
    """β_i and H_i for i = 1 … order: R₀ = x, β_i = mean|R_{i−1}|, H_i = sign(R_{i−1}), R_i = R_{i−1} − β_i·H_i.

    β is of each sample, [N, 1, …], and a constant to the gradient; that of H_i is 1{|R_{i−1}| ≤ 1}. Each step takes
    n·β² off the squared error of n numbers.
    """
    terms, rest = [], x
    for _ in range(order):
        magnitude = tf.abs(tf.cast(rest, tf.float32))
        beta = tf.reduce_mean(magnitude, tuple(range(1, len(x.shape))), keepdims=True)
        beta = tf.stop_gradient(tf.cast(beta, x.dtype))
        signs = quantizer(rest)
        terms.append((beta, signs))
        rest = rest - beta * signs
    return terms


class _ResidualSigns(tf.keras.layers.Layer):  # type: ignore[misc]
    """Σ_i β_i·(H_i ∗ w) of `residual_signs`, in place of x ∗ w."""

    def __init__(self, *shape: Any, order: int = 2, **options: Any) -> None:
        self._order = order
        super().__init__(*shape, **options)
        self.plane_quantizer = _signs

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        terms = residual_signs(inputs, self._order, self.plane_quantizer)
        return tf.add_n([beta * super(_ResidualSigns, self).call(h) for beta, h in terms])

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "order": self._order}


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class ResidualQuantConv2D(_ResidualSigns, larq.layers.QuantConv2D):  # type: ignore[misc]
    """`QuantConv2D` of `residual_signs`: one binary convolution for each order, of the same kernel."""


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class ResidualQuantDense(_ResidualSigns, larq.layers.QuantDense):  # type: ignore[misc]
    """`QuantDense` of `residual_signs`."""
