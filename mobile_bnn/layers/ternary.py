"""TBN's ternary activations (Wan et al., "TBN", ECCV 2018), as the half of two signs: two binary convolutions."""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign, straight_through
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor


def ternary(x: TfTensor, delta: TfTensor) -> TfTensor:
    """½·(sign(x − δ) + sign(x + δ)): +1 where x ≥ δ, −1 where x < −δ, else 0.

    At −δ itself the authors' code gives −1; where x is that very number the two differ.
    """
    return 0.5 * (sign(x - delta) + sign(x + delta))


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class TernaryInput(larq.quantizers.Quantizer):  # type: ignore[misc]
    """`ternary` with δ = ρ·mean|x| of the batch in training, its running mean at inference; backward 1{|x| ≤ 1}.

    Args:
        ratio: ρ.
        momentum: how much of a batch's δ goes into the running one.
    """

    precision = 2
    _GAUSSIAN = 0.7979  # mean|x| of a Gaussian of variance 1

    def __init__(self, ratio: float = 0.5, momentum: float = 0.01, **options: str) -> None:
        super().__init__(**options)
        self._ratio, self._momentum = ratio, momentum
        self.delta = self.add_weight(
            name="delta",
            shape=(),
            initializer=tf.keras.initializers.Constant(ratio * self._GAUSSIAN),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        delta = tf.cast(self.delta, inputs.dtype)
        if training:
            delta = self._ratio * tf.reduce_mean(tf.abs(inputs))
            self.delta.assign_add(self._momentum * (tf.cast(delta, tf.float32) - self.delta))
        return with_gradient(inputs, ternary(inputs, delta), straight_through(inputs, tf.ones([], inputs.dtype)))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "ratio": self._ratio, "momentum": self._momentum}
