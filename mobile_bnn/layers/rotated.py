"""RBNN's rotated weights: an orthogonal matrix turns each filter towards a corner of the cube.

Lin, Ji, Xu, Zhang, Wang, Wu, Huang, Lin: "Rotated Binary Neural Network", NeurIPS 2020, section 3.
"""

import math

from mobile_bnn.layers.estimators import sign, sign_with, training_aware
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.layers.weight_scales import standardized
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_ROUNDS = 3  # of the alternation in each renewal, as in the authors' code


def nearest_square(count: int) -> tuple[int, int]:
    """The factors n₁ ≤ n₂ of a number that lie nearest to each other."""
    first = next(each for each in range(math.isqrt(count), 0, -1) if count % each == 0)
    return first, count // first


def turned(x: TfTensor, first: TfTensor, second: TfTensor) -> TfTensor:
    """R₁ᵀ·X·R₂ of each filter: float32 [filters, n₁, n₂], which is (R₁ ⊗ R₂)ᵀ applied to its n₁·n₂ weights."""
    return tf.linalg.matmul(tf.linalg.matmul(first, x, transpose_a=True), second)


def best_rotations(x: TfTensor, first: TfTensor, second: TfTensor) -> tuple[TfTensor, TfTensor]:
    """R₁ and R₂ that raise Σ|R₁ᵀ·X·R₂| over all filters, by alternation (equations 7 to 11).

    With B the signs, R₁ is V·Uᵀ of the singular vectors of Σ B·R₂ᵀ·Xᵀ, and R₂ is U·Vᵀ of those of Σ Xᵀ·R₁·B.
    """
    for _ in range(_ROUNDS):
        signs = sign(turned(x, first, second))
        moment = tf.einsum("fij,kj,flk->il", signs, second, x)
        _, left, right = tf.linalg.svd(moment)
        first = tf.linalg.matmul(right, left, transpose_b=True)
        moment = tf.einsum("fji,jk,fkl->il", x, first, signs)
        _, left, right = tf.linalg.svd(moment)
        second = tf.linalg.matmul(left, right, transpose_b=True)
    return first, second


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class RotatedSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """sign(ŵ + |sin θ|·(Rŵ − ŵ)), ŵ the standardized filter; Rŵ is a constant, θ of each filter is learned.

    R is renewed in a training step whenever `renewal`, a variable that the method's schedule sets, has grown.

    Args:
        t: of the estimator `training_aware`, at the start.
    """

    precision = 1

    def __init__(self, t: float = 0.01, **options: str) -> None:
        super().__init__(**options)
        self._initial = t
        self.t = schedule_variable(t, "t")
        self.renewal = schedule_variable(0.0, "renewal")

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        self._sides = nearest_square(tf.TensorShape(input_shape[:-1]).num_elements() or 1)
        angle = tf.keras.initializers.RandomUniform(0.0, math.pi / 2)
        self.angle = self.add_weight(
            name="angle", shape=(input_shape[-1],), initializer=angle, experimental_autocast=False
        )
        self.first, self.second = (
            self._own(name, (side, side), tf.keras.initializers.Orthogonal())
            for name, side in zip(("first", "second"), self._sides, strict=True)
        )
        self.renewed = self._own("renewed", (), "zeros")
        super().build(input_shape)

    def _own(self, name: str, shape: tuple[int, ...], initializer: object) -> TfTensor:
        """A variable that the training step itself sets, to the same value on each replica."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            trainable=False,
            experimental_autocast=False,  # a rotation of half precision is no longer orthogonal
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        weights = standardized(tf.cast(inputs, tf.float32))
        x = tf.reshape(tf.transpose(tf.reshape(weights, (-1, weights.shape[-1]))), (-1, *self._sides))
        rotations = self._rotations(tf.stop_gradient(x), training)
        rotated = tf.transpose(tf.reshape(turned(x, *rotations), (weights.shape[-1], -1)))
        difference = tf.stop_gradient(tf.reshape(rotated, weights.shape) - weights)
        blended = weights + tf.abs(tf.sin(self.angle)) * difference
        return tf.cast(sign_with(training_aware, blended, self.t), inputs.dtype)

    def _rotations(self, x: TfTensor, training: bool | None) -> tuple[TfTensor, TfTensor]:
        before = tf.convert_to_tensor(self.first), tf.convert_to_tensor(self.second)
        if not training:
            return before
        first, second = tf.cond(self.renewal > self.renewed, lambda: best_rotations(x, *before), lambda: before)
        for variable, value in zip((self.first, self.second, self.renewed), (first, second, self.renewal), strict=True):
            variable.assign(value)
        return first, second

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "t": self._initial}
