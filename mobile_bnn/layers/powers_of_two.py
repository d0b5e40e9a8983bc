"""Weights that are powers of two or 0, frozen group by group, the largest first.

Zhou, Yao, Guo, Xu, Chen: "Incremental Network Quantization: Towards Lossless CNNs with Low-Precision Weights", ICLR
2017, section 2.
"""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.changed_updates import identity_of
from mobile_bnn.layers.gated_updates import Gate, with_gates
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasModel, KerasOptimizer, Options, TfTensor


def greatest_level(kernel: TfTensor) -> TfTensor:
    """2^n₁ with n₁ = floor(log₂(4s/3)), s = max|w|: a float32 scalar; 0 for a kernel of zeros (equation 2).

    That is the greatest power of two of which ¾ is at most s, found by comparing, which rounds nothing.
    """
    largest = tf.reduce_max(tf.abs(kernel))
    exponent = tf.floor(tf.math.log(tf.where(largest > 0.0, largest, 1.0)) / tf.math.log(2.0))
    level = tf.pow(2.0, exponent + 2.0)
    for _ in range(3):
        level = tf.where(0.75 * level <= largest, level, level / 2.0)
    return tf.where(largest > 0.0, level, 0.0)


def rounded(kernel: TfTensor, greatest: TfTensor, bits: int) -> TfTensor:
    """±β where (α + β)/2 ≤ |w| < 3β/2 for neighbouring levels α < β, else 0 (equation 4).

    The levels are 0 and 2^n₂ … 2^n₁, n₂ = n₁ + 1 − 2^(b − 2); what is beyond the greatest takes it.

    Args:
        kernel: w.
        greatest: 2^n₁.
        bits: b, at least 2.
    """
    magnitude, y, below = tf.abs(kernel), tf.zeros_like(kernel), tf.zeros_like(greatest)
    for power in reversed(range(2 ** (bits - 2))):
        level = greatest / 2.0**power
        y += (level - below) * tf.cast(magnitude >= (below + level) / 2.0, kernel.dtype)
        below = level
    return tf.sign(kernel) * y


def largest_frozen(kernel: TfTensor, frozen: TfTensor, count: TfTensor) -> TfTensor:
    """1 for the frozen weights and as many of the largest others as make `count`: float32 in the kernel's shape."""
    magnitude = tf.abs(kernel)
    key = tf.reshape(magnitude + frozen * (1.0 + tf.reduce_max(magnitude)), (-1,))
    rank = tf.argsort(tf.argsort(key, direction="DESCENDING", stable=True), stable=True)
    return tf.reshape(tf.cast(rank < count, kernel.dtype), kernel.shape)


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class PowersOfTwo(larq.quantizers.Quantizer):  # type: ignore[misc]
    """`rounded` where weights are frozen, w elsewhere; backward the identity. At share 1 all are rounded.

    Which are frozen is decided when the share grows, in the training step; the greatest level when the first are.

    Args:
        bits: b.
    """

    def __init__(self, bits: int = 5, **options: str) -> None:
        super().__init__(**options)
        self.precision = bits
        self.share = schedule_variable(1.0, "share")

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook: nothing is frozen."""
        kept = {"trainable": False, "initializer": "zeros", "synchronization": tf.VariableSynchronization.ON_READ}
        kept["aggregation"] = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.frozen = self.add_weight(name="frozen", shape=input_shape, **kept)
        self.greatest = self.add_weight(name="greatest", shape=(), **kept)
        super().build(input_shape)

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        if training:
            self._freeze(tf.stop_gradient(tf.cast(inputs, tf.float32)))
        greatest = tf.where(self.greatest > 0.0, self.greatest, greatest_level(tf.cast(inputs, tf.float32)))
        quantized = rounded(inputs, tf.cast(greatest, inputs.dtype), self.precision)
        return with_gradient(inputs, tf.where(self.is_frozen(), quantized, inputs), tf.ones_like(inputs))

    def is_frozen(self) -> TfTensor:
        """Booleans in the kernel's shape."""
        return (self.frozen > 0.0) | (self.share >= 1.0)

    def _freeze(self, kernel: TfTensor) -> None:
        count = tf.cast(tf.round(self.share * float(kernel.shape.num_elements())), tf.int32)
        now = tf.cast(tf.reduce_sum(self.frozen), tf.int32)

        def more() -> tuple[TfTensor, TfTensor]:
            level = tf.where(self.greatest > 0.0, self.greatest, greatest_level(kernel))
            return largest_frozen(kernel, tf.identity(self.frozen), count), level

        frozen, greatest = tf.cond(count > now, more, lambda: (tf.identity(self.frozen), tf.identity(self.greatest)))
        self.frozen.assign(frozen)
        self.greatest.assign(greatest)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bits": self.precision}


def with_frozen_weights(default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
    """The optimizer, which leaves the frozen weights of every `PowersOfTwo` as they are."""
    gates = {}
    for layer in model.submodules:
        quantizer = getattr(layer, "kernel_quantizer", None)
        if isinstance(quantizer, PowersOfTwo):
            gates[identity_of(layer.kernel)] = _unfrozen(quantizer)
    return with_gates(default, gates)


def _unfrozen(quantizer: PowersOfTwo) -> Gate:
    return lambda: tf.logical_not(quantizer.is_frozen())
