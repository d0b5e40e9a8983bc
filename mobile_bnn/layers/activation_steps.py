"""Activations of a few levels: step functions with the gradients that their papers give them.

Each level but the lowest is one binary convolution in the file, or each bit of the level's number is one.
"""

from collections.abc import Callable

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_Gradient = Callable[[TfTensor], TfTensor]


def with_gradient(x: TfTensor, y: TfTensor, factor: TfTensor) -> TfTensor:
    """y, backward upstream · factor to x; neither y nor the factor passes a gradient itself."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def replaced(_: TfTensor) -> tuple[TfTensor, _Gradient]:
        return tf.identity(y), lambda dy: dy * factor

    return replaced(x)


def half_wave(x: TfTensor) -> TfTensor:
    """Q(x) = 0.538 · (1{x > 0} + 1{x > 0.807} + 1{x > 1.345}) (HWGQ, Cai et al. 2017, section 4.1).

    The levels of a quantizer of two bits that is best for a half-wave Gaussian of variance 1, as the official code has
    them: the thresholds lie at 0 and half way between the levels.
    """
    first, second, third = (tf.cast(x > threshold, x.dtype) for threshold in HALF_WAVE_THRESHOLDS)
    return HALF_WAVE_STEP * (first + second + third)


HALF_WAVE_STEP = 0.538
HALF_WAVE_THRESHOLDS = (0.0, 0.807, 1.345)
_HALF_WAVE_END = 1.614


def clipped_relu_gradient(x: TfTensor, end: float) -> TfTensor:
    """1{0 < x ≤ end} (HWGQ, equation 16)."""
    return tf.cast((x > 0) & (x <= end), x.dtype)


@_REGISTER
class HalfWaveGaussian(larq.quantizers.Quantizer):  # type: ignore[misc]
    """`half_wave`, backward 1{0 < x ≤ 1.614}."""

    precision = 2

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return with_gradient(inputs, half_wave(inputs), clipped_relu_gradient(inputs, _HALF_WAVE_END))


def round_to_grid(x: TfTensor, bits: int) -> TfTensor:
    """round(x · (2^k − 1)) / (2^k − 1), halves to the even number."""
    steps = 2.0**bits - 1.0
    return tf.round(x * steps) / steps


@_REGISTER
class ParameterizedClip(larq.quantizers.Quantizer):  # type: ignore[misc]
    """PACT (Choi et al. 2018): clip(x, 0, α) rounded to 2^k levels; α is learned.

    y = ½(|x| − |x − α| + α), y_q = round(y · (2^k − 1)/α) · α/(2^k − 1) (equations 1 and 2); backward
    ∂x = 1{0 ≤ x < α}, ∂α = 1{x ≥ α} (equation 3).

    Args:
        bits: k.
        alpha: α at the start.
        decay: λ of the loss λ·α².
    """

    def __init__(self, bits: int = 1, alpha: float = 10.0, decay: float = 0.0, **options: str) -> None:
        super().__init__(**options)
        self.precision, self._initial, self._decay = bits, alpha, decay
        self.alpha = self.add_weight(
            name="alpha",
            shape=(),
            initializer=tf.keras.initializers.Constant(alpha),
            regularizer=tf.keras.regularizers.L2(decay) if decay else None,
        )

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        bits = self.precision

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def quantized(x: TfTensor, alpha: TfTensor) -> tuple[TfTensor, Callable[[TfTensor], tuple[TfTensor, TfTensor]]]:
            y = alpha * round_to_grid(tf.clip_by_value(x, 0.0, alpha) / alpha, bits)

            def gradient(dy: TfTensor) -> tuple[TfTensor, TfTensor]:
                above = tf.cast(x >= alpha, dy.dtype)
                return dy * tf.cast((x >= 0) & (x < alpha), dy.dtype), tf.reduce_sum(dy * above)

            return y, gradient

        return quantized(inputs, tf.cast(self.alpha, inputs.dtype))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bits": self.precision, "alpha": self._initial, "decay": self._decay}


@_REGISTER
class SymmetricGrid(larq.quantizers.Quantizer):  # type: ignore[misc]
    """round(clip(x, −1, 1) · s)/s with s = 2^(k − 1) − 1 (WRPN, equation 3), backward 1{|x| ≤ 1}.

    Args:
        bits: k, at least 2.
    """

    def __init__(self, bits: int = 2, **options: str) -> None:
        super().__init__(**options)
        self.precision = bits

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        steps = 2.0 ** (self.precision - 1) - 1.0
        rounded = tf.round(tf.clip_by_value(inputs, -1.0, 1.0) * steps) / steps
        return with_gradient(inputs, rounded, tf.cast(tf.abs(inputs) <= 1.0, inputs.dtype))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bits": self.precision}
