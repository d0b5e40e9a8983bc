"""ABC-Net's sums of several signs: of weights with fitted factors, of activations with learned ones.

Lin, Zhao, Pan: "Towards Accurate Binary Convolutional Neural Network", NeurIPS 2017, section 3.
"""

from collections.abc import Callable

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign
from mobile_bnn.layers.weight_scales import centred, per_filter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_RIDGE = 1e-6  # where two bases of a filter are one, as in a dead filter


def spread(count: int) -> list[float]:
    """−1 + 2(m − 1)/(M − 1) for m = 1 … M; 0 for one (equation 2)."""
    return [2.0 * index / (count - 1) - 1.0 for index in range(count)] if count > 1 else [0.0]


def shifted_signs(kernel: TfTensor, count: int) -> TfTensor:
    """B_m = sign(w − mean(w) + u_m·std(w)) of each filter: float32 [filters, n, count] of a kernel [..., filters]."""
    difference = centred(kernel)
    deviation = tf.sqrt(tf.reduce_mean(tf.square(difference), per_filter(kernel)))
    bases = [sign(difference + shift * deviation) for shift in spread(count)]
    return tf.transpose(tf.stack([tf.reshape(each, (-1, kernel.shape[-1])) for each in bases], axis=-1), (1, 0, 2))


def fitted_factors(kernel: TfTensor, bases: TfTensor) -> TfTensor:
    """α = (BᵀB)⁻¹Bᵀw of each filter, float32 [filters, count] (equation 3)."""
    rows = tf.transpose(tf.reshape(kernel, (-1, kernel.shape[-1])))
    count = tf.cast(tf.shape(rows)[1], tf.float32)
    gram = tf.linalg.matmul(bases, bases, transpose_a=True) / count + _RIDGE * tf.eye(bases.shape[-1])
    moment = tf.linalg.matvec(bases, rows, transpose_a=True) / count
    return tf.linalg.solve(gram, moment[..., None])[..., 0]


@_REGISTER
class FittedBases(larq.quantizers.Quantizer):  # type: ignore[misc]
    """Σ_m α_m·B_m with `shifted_signs` and `fitted_factors`, backward Σ_m α_m · 1{|w| ≤ 1}.

    Args:
        count: M.
    """

    def __init__(self, count: int = 3, **options: str) -> None:
        super().__init__(**options)
        self.precision = count

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        kernel = tf.cast(inputs, tf.float32)
        bases = shifted_signs(kernel, self.precision)
        factors = fitted_factors(kernel, bases)
        y = tf.reshape(tf.transpose(tf.linalg.matvec(bases, factors)), kernel.shape)
        straight = tf.reduce_sum(factors, -1) * tf.cast(tf.abs(kernel) <= 1.0, tf.float32)
        return with_gradient(inputs, tf.cast(y, inputs.dtype), tf.cast(straight, inputs.dtype))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "count": self.precision}


@_REGISTER
class LearnedBases(larq.quantizers.Quantizer):  # type: ignore[misc]
    """Σ_n β_n·H_n, H_n = 2·1{clip(x + v_n, 0, 1) ≥ ½} − 1; β and v are learned (equations 7 to 10).

    Backward β_n·1{0 ≤ x + v_n ≤ 1} to x and to v_n, H_n to β_n. v begins evenly spread over [−½, ½], β as 1/N.

    Args:
        count: N.
    """

    def __init__(self, count: int = 3, **options: str) -> None:
        super().__init__(**options)
        self.precision = count
        starts = {"factors": [1.0 / count] * count, "shifts": [each / 2.0 for each in spread(count)]}
        self.factors, self.shifts = (
            self.add_weight(name=name, shape=(count,), initializer=tf.keras.initializers.Constant(start))
            for name, start in starts.items()
        )

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        factors, shifts = (tf.unstack(tf.cast(each, inputs.dtype)) for each in (self.factors, self.shifts))
        terms = [factor * _shifted_step(inputs + shift) for factor, shift in zip(factors, shifts, strict=True)]
        return tf.add_n(terms)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "count": self.precision}


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _shifted_step(x: TfTensor) -> tuple[TfTensor, Callable[[TfTensor], TfTensor]]:
    """2·1{clip(x, 0, 1) ≥ ½} − 1, backward 1{0 ≤ x ≤ 1}."""
    return sign(x - 0.5), lambda dy: dy * tf.cast((x >= 0.0) & (x <= 1.0), x.dtype)
