"""Masks that leave out filters of binary convolutions, learned layer after layer.

Xu, Dong, Li, Su: "A Main/Subsidiary Network Framework for Simplifying Binary Neural Networks", CVPR 2019.
"""

from collections.abc import Sequence

from mobile_bnn.layers.changed_updates import identity_of
from mobile_bnn.layers.estimators import sign_with, straight_through_inside
from mobile_bnn.layers.gated_updates import Gate, with_gates
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.layers.xnor_net import ElementwiseScaledSign
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasLayer, KerasModel, KerasOptimizer, Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_START = 1e-4
UNREACHED, LEARNING, FIXED = 0.0, 1.0, 2.0


def mask(scores: TfTensor) -> TfTensor:
    """(1 + sign(μ))/2, 1 for a filter that stays and 0 for one that goes; backward ½·1{|μ| < 1}."""
    return 0.5 * (1.0 + sign_with(straight_through_inside, scores, tf.ones([])))


@_REGISTER
class KeptFilters(tf.keras.regularizers.Regularizer):  # type: ignore[misc]
    """strength · Σ mask(μ): how many filters stay."""

    def __init__(self, strength: float = 1e-8) -> None:
        self._strength = strength

    def __call__(self, scores: TfTensor) -> TfTensor:
        """Keras's hook: a float32 scalar."""
        return self._strength * tf.reduce_sum(mask(scores))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {"strength": self._strength}


@_REGISTER
class MaskedScaledSign(ElementwiseScaledSign):
    """XNOR-Net's α·sign(w), times `mask` of a learned score of each filter once the layer is reached.

    Args:
        strength: of `KeptFilters`.
    """

    def __init__(self, strength: float = 1e-8, **options: str) -> None:
        super().__init__(**options)
        self._strength = strength
        self.stage = schedule_variable(FIXED, "stage")

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        self.scores = self.add_weight(
            name="scores",
            shape=(input_shape[-1],),
            initializer=tf.keras.initializers.RandomUniform(-_START, _START),
            regularizer=KeptFilters(self._strength),
        )
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        kept = tf.where(self.stage > UNREACHED, mask(tf.cast(self.scores, inputs.dtype)), 1.0)
        return kept * super().call(inputs)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "strength": self._strength}


def masked_layers(model: KerasModel) -> list[KerasLayer]:
    """The layers whose filters have masks, from the input on."""
    return [each for each in model.layers if isinstance(getattr(each, "kernel_quantizer", None), MaskedScaledSign)]


def with_stages(default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
    """The optimizer, which trains a layer's scores alone while it learns them, and weights otherwise.

    Weights of a layer stay as they are once a later layer is reached.
    """
    layers = masked_layers(model)
    stages = [layer.kernel_quantizer.stage for layer in layers]

    def main() -> TfTensor:
        return tf.reduce_all([stage != LEARNING for stage in stages]) if stages else tf.constant(True)

    gates: dict[str, Gate] = {}
    for index, layer in enumerate(layers):
        gates[identity_of(layer.kernel_quantizer.scores)] = _learns(stages[index])
        gates[identity_of(layer.kernel)] = _trains(main, stages[index + 1 :])
    return with_gates(default, gates, main)


def _learns(stage: TfTensor) -> Gate:
    return lambda: stage == LEARNING


def _trains(main: Gate, later: Sequence[TfTensor]) -> Gate:
    return lambda: tf.reduce_all([main(), *(stage == UNREACHED for stage in later)])
