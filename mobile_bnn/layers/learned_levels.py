"""LQ-Nets' quantizers, whose levels are refitted in every training step.

Zhang, Yang, Ye, Hua: "LQ-Nets: Learned Quantization for Highly Accurate and Compact Deep Neural Networks", ECCV 2018,
section 3. A level is ⟨v, e⟩ with a basis v of k numbers and a code e; the nearest level is taken, and v is fitted to
the codes by least squares (algorithm 1: quantization error minimization).
"""

from itertools import pairwise, product

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasVariable, Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_KEPT = 0.9  # of the basis before, in the authors' code
_RIDGE = 1e-4  # of the weights' least squares, towards the basis before
_HALF_NORMAL = 0.6745  # the median magnitude of a Gaussian


def codes(bits: int, lowest: float) -> TfTensor:
    """All codes of `bits` elements, each `lowest` or 1: float32 [2^bits, bits]."""
    return tf.constant(list(product((lowest, 1.0), repeat=bits)), tf.float32)


def sorted_levels(basis: TfTensor, every: TfTensor) -> tuple[TfTensor, TfTensor]:
    """The levels ⟨v, e⟩ of each basis from below, float32 [c, 2^k], and their codes, float32 [c, 2^k, k].

    Args:
        basis: float32 [c, k].
        every: of `codes`.
    """
    levels = tf.linalg.matmul(basis, every, transpose_b=True)
    order = tf.argsort(levels, stable=True)
    return tf.gather(levels, order, batch_dims=1), tf.gather(every, order)


def nearest(x: TfTensor, levels: TfTensor) -> TfTensor:
    """The nearest level of each number, float32 [..., c]; at a midpoint the lower one (equation 5).

    Written as steps at the midpoints, which is what a converter can see through.

    Args:
        x: float32 [..., c], or of any shape if c is 1.
        levels: float32 [c, 2^k] from below.
    """
    rows = tf.unstack(levels, axis=1)
    y = rows[0] * tf.ones_like(x)
    for below, above in pairwise(rows):
        y += (above - below) * tf.cast(x > (below + above) / 2.0, x.dtype)
    return y


def chosen_codes(x: TfTensor, levels: TfTensor, ordered: TfTensor) -> TfTensor:
    """The code of each number's nearest level: float32 [c, n, k] of x [c, n]."""
    middles = (levels[:, 1:] + levels[:, :-1]) / 2.0
    place = tf.reduce_sum(tf.cast(x[..., None] > middles[:, None], tf.int32), axis=-1)
    return tf.gather(ordered, place, batch_dims=1)


def fitted(x: TfTensor, chosen: TfTensor, basis: TfTensor, ridge: float) -> TfTensor:
    """(BᵀB + rI)⁻¹(Bᵀx + r·v): least squares of the codes B, drawn to the basis before (equation 8).

    Where the codes do not tell all of it, because some never occur, the basis stays as it was.

    Args:
        x: float32 [c, n].
        chosen: float32 [c, n, k].
        basis: float32 [c, k].
        ridge: r, times n.
    """
    gram = tf.linalg.matmul(chosen, chosen, transpose_a=True)
    size = ridge * tf.cast(tf.shape(x)[1], x.dtype) + 1e-6
    moment = tf.linalg.matvec(chosen, x, transpose_a=True) + size * basis
    return tf.linalg.solve(gram + size * tf.eye(basis.shape[1]), moment[..., None])[..., 0]


def _moving(basis: KerasVariable, target: TfTensor) -> None:
    basis.assign(_KEPT * basis + (1.0 - _KEPT) * target)


@_REGISTER
class LearnedWeightLevels(larq.quantizers.Quantizer):  # type: ignore[misc]
    """Levels ⟨v, e⟩, e ∈ {−1, 1}^k, v of each output channel; backward the identity.

    Args:
        bits: k.
    """

    def __init__(self, bits: int = 1, **options: str) -> None:
        super().__init__(**options)
        self.precision = bits

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook: v begins as for Gaussian weights of He's initialization."""
        filters, bits = input_shape[-1], self.precision
        taps = tf.TensorShape(input_shape[:-2]).num_elements() or 1
        start = _HALF_NORMAL * (2.0 / (taps * filters)) ** 0.5 / 2.0 ** (bits - 1)
        self.basis = self.add_weight(
            name="basis",
            shape=(filters, bits),
            initializer=tf.keras.initializers.Constant([[start * 2.0**each for each in range(bits)]] * filters),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )
        super().build(input_shape)

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        basis = tf.convert_to_tensor(self.basis)
        levels, ordered = sorted_levels(basis, codes(self.precision, -1.0))
        if training:
            rows = tf.transpose(tf.reshape(tf.stop_gradient(inputs), (-1, inputs.shape[-1])))
            _moving(self.basis, fitted(rows, chosen_codes(rows, levels, ordered), basis, _RIDGE))
        return with_gradient(inputs, nearest(inputs, levels), tf.ones_like(inputs))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bits": self.precision}


@_REGISTER
class LearnedInputLevels(larq.quantizers.Quantizer):  # type: ignore[misc]
    """Levels ⟨v, e⟩ of max(x, 0), e ∈ {0, 1}^k, v of the layer; backward 1{0 < x ≤ highest level}.

    Args:
        bits: k.
    """

    def __init__(self, bits: int = 2, **options: str) -> None:
        super().__init__(**options)
        self.precision = bits
        start = [_HALF_NORMAL * 2.0 / (2.0**bits - 1.0) * 2.0**each for each in range(bits)]
        self.basis = self.add_weight(
            name="basis",
            shape=(bits,),
            initializer=tf.keras.initializers.Constant(start),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        basis = tf.convert_to_tensor(self.basis)[None]
        levels, ordered = sorted_levels(basis, codes(self.precision, 0.0))
        if training:
            row = tf.reshape(tf.stop_gradient(inputs), (1, -1))
            _moving(self.basis, fitted(row, chosen_codes(row, levels, ordered), basis, 0.0)[0])
        inside = tf.cast((inputs > 0.0) & (inputs <= levels[0, -1]), inputs.dtype)
        return with_gradient(inputs, nearest(inputs, levels), inside)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bits": self.precision}
