"""Activations on a grid whose step is learned by a coarse gradient, rounded up (BCGD, Yin et al. 2018, section 2)."""

from collections.abc import Callable

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_RATE = 0.01  # of the step's gradient, in the authors' code
_LEAST, _MOST = 1e-3, 5.0  # the step in that code


def ceiled(x: TfTensor, step: TfTensor, bits: int) -> TfTensor:
    """α·clip(⌈x/α⌉, 0, 2^b − 1) (equation 2): any x above 0 is at least α."""
    return step * tf.clip_by_value(tf.math.ceil(x / step), 0.0, 2.0**bits - 1.0)


def coarse_gradients(x: TfTensor, step: TfTensor, bits: int) -> tuple[TfTensor, TfTensor]:
    """1{0 < x ≤ α(2^b − 1)} for x, and for α: 2^(b−1) there, 2^b − 1 above (equation 6), in x's shape both."""
    inside = tf.cast((x > 0) & (x <= step * (2.0**bits - 1.0)), x.dtype)
    above = tf.cast(x > step * (2.0**bits - 1.0), x.dtype)
    return inside, inside * 2.0 ** (bits - 1) + above * (2.0**bits - 1.0)


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class CeiledSteps(larq.quantizers.Quantizer):  # type: ignore[misc]
    """`ceiled` with a learned step, backward `coarse_gradients`; the step's gradient times 0.01, within ±1.

    Args:
        bits: b.
        step: α at the start; it stays in [0.001, 5].
    """

    def __init__(self, bits: int = 2, step: float = 0.6511, **options: str) -> None:
        super().__init__(**options)
        self.precision, self._initial = bits, step
        self.step = self.add_weight(
            name="step",
            shape=(),
            initializer=tf.keras.initializers.Constant(step),
            constraint=lambda value: tf.clip_by_value(value, _LEAST, _MOST),
        )

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        bits = self.precision

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def quantized(x: TfTensor, step: TfTensor) -> tuple[TfTensor, Callable[[TfTensor], tuple[TfTensor, TfTensor]]]:
            def gradient(dy: TfTensor) -> tuple[TfTensor, TfTensor]:
                to_x, to_step = coarse_gradients(x, step, bits)
                return dy * to_x, tf.clip_by_value(_RATE * tf.reduce_sum(dy * to_step), -1.0, 1.0)

            return ceiled(x, step, bits), gradient

        return quantized(inputs, tf.cast(self.step, inputs.dtype))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bits": self.precision, "step": self._initial}
