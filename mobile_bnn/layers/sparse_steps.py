"""TSQ's quantizers: sparse activations of two bits, and ternary weights.

Wang, Hu, Zhang, Zhang, Liu, Cheng: "Two-Step Quantization for Low-bit Neural Networks", CVPR 2018, sections 3.2, 3.3.
"""

import math
from itertools import pairwise

from mobile_bnn.layers.activation_steps import clipped_relu_gradient, with_gradient
from mobile_bnn.layers.estimators import sign
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_LEVELS = 3  # above 0


def best_step(epsilon: float) -> float:
    """Δ with the least mean of (x − Q(x))² over a Gaussian's x > ε, Q(x) the nearest of Δ, 2Δ and 3Δ.

    Lloyd's iteration: Δ ← Σ k·E[x; nearest is kΔ] / Σ k²·P[nearest is kΔ]. At ε = 0 it is HWGQ's 0.538.
    """
    step = 0.5
    for _ in range(300):
        ends = [epsilon, *(max(epsilon, (level + 0.5) * step) for level in range(1, _LEVELS)), math.inf]
        pairs = list(pairwise(ends))
        moments = [_density(low) - _density(high) for low, high in pairs]
        shares = [(math.erf(high / 2**0.5) - math.erf(low / 2**0.5)) / 2.0 for low, high in pairs]
        first = sum(level * moment for level, moment in enumerate(moments, 1))
        step = first / sum(level**2 * share for level, share in enumerate(shares, 1))
    return step


def _density(x: float) -> float:
    return math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi)


def sparse_thresholds(epsilon: float, step: float) -> list[float]:
    """Where the value rises by Δ: at ε, and half way between the levels above."""
    return [epsilon, *(max(epsilon, (level + 0.5) * step) for level in range(1, _LEVELS))]


@_REGISTER
class SparseHalfWave(larq.quantizers.Quantizer):  # type: ignore[misc]
    """Δ·Σ 1{x > t} over `sparse_thresholds`: 0 up to ε. Backward 1{0 < x ≤ 3Δ}; Δ is `best_step`'s.

    Args:
        epsilon: ε.
    """

    precision = 2

    def __init__(self, epsilon: float = 0.25, **options: str) -> None:
        super().__init__(**options)
        self._epsilon, self.step = epsilon, best_step(epsilon)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        rises = [tf.cast(inputs > each, inputs.dtype) for each in sparse_thresholds(self._epsilon, self.step)]
        return with_gradient(inputs, self.step * tf.add_n(rises), clipped_relu_gradient(inputs, _LEVELS * self.step))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "epsilon": self._epsilon}


@_REGISTER
class TernaryWeights(larq.quantizers.Quantizer):  # type: ignore[misc]
    """α·sign(w) where |w| > 0.7·mean|w| of the filter, else 0; α the mean magnitude of those above. Backward 1.

    Weights that are α·{−1, 0, 1} already stay as they are.
    """

    precision = 2

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        magnitude = tf.abs(inputs)
        axes = tuple(range(len(inputs.shape) - 1))
        kept = tf.cast(magnitude > 0.7 * tf.reduce_mean(magnitude, axes), inputs.dtype)
        alpha = tf.reduce_sum(kept * magnitude, axes) / tf.maximum(tf.reduce_sum(kept, axes), 1.0)
        return with_gradient(inputs, alpha * kept * sign(inputs), tf.ones_like(inputs))
