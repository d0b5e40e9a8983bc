"""Group-Net's bases: several binary kernels side by side, and how their outputs are joined.

Zhuang, Shen, Tan, Liu, Reid: "Structured Binary Neural Networks for Accurate Image Classification and Semantic
Segmentation", CVPR 2019, section 3.2.
"""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign
from mobile_bnn.layers.weight_scales import filter_mean
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


def base_means(kernel: TfTensor, count: int) -> TfTensor:
    """mean|w| of each base, for each of its filters: float32 [filters] of a kernel [..., filters of all bases]."""
    filters = kernel.shape[-1]
    bases = tf.constant([index * count // filters for index in range(filters)])
    means = tf.math.unsorted_segment_mean(filter_mean(kernel), bases, count)
    return tf.gather(means, bases)


@_REGISTER
class BasesSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """mean|w|·sign(w) of each base, backward the identity.

    Args:
        count: how many bases lie side by side along the last axis.
    """

    precision = 1

    def __init__(self, count: int = 5, **options: str) -> None:
        super().__init__(**options)
        self._count = count

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return with_gradient(inputs, base_means(inputs, self._count) * sign(inputs), tf.ones_like(inputs))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "count": self._count}


@_REGISTER
class SumOfBases(tf.keras.layers.Layer):  # type: ignore[misc]
    """Σ_k λ_k·y_k of the outputs of bases, [..., count · C] to [..., C].

    Args:
        count: K.
        learned: whether λ is learned, 1/K at the start; otherwise it is 1/K.
    """

    def __init__(self, count: int = 5, learned: bool = False, **options: object) -> None:
        super().__init__(**options)
        self._count, self._learned = count, learned

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        if self._learned:
            start = tf.keras.initializers.Constant(1.0 / self._count)
            self.factors = self.add_weight(name="factors", shape=(self._count,), initializer=start)
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        bases = tf.split(inputs, self._count, axis=-1)
        if not self._learned:
            return tf.add_n(bases) * tf.cast(1.0 / self._count, inputs.dtype)
        factors = tf.unstack(tf.cast(self.factors, inputs.dtype))
        return tf.add_n([factor * base for factor, base in zip(factors, bases, strict=True)])

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "count": self._count, "learned": self._learned}


@_REGISTER
class SoftGate(tf.keras.layers.Layer):  # type: ignore[misc]
    """σ(θ)·a + (1 − σ(θ))·b of [a, b] with one learned θ, 0 at the start (section 3.2.3)."""

    def build(self, input_shape: list[tuple[int, ...]]) -> None:
        """Keras's hook."""
        self._theta = self.add_weight(name="theta", shape=(), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: list[TfTensor]) -> TfTensor:
        """Keras's hook."""
        share = tf.sigmoid(self._theta)
        return share * inputs[0] + (1.0 - share) * inputs[1]
