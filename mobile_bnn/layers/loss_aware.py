"""LAB's loss-aware scale (Hou, Yao, Kwok, "Loss-aware Binarization of Deep Networks", ICLR 2017)."""

from typing import Any

from mobile_bnn.layers.changed_updates import Update, identity_of, with_update
from mobile_bnn.layers.estimators import sign
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasModel, KerasOptimizer, Options, TfTensor

_EPSILON = 1e-8
_DECAY = 0.999  # β₂ of the second moment in the authors' code


def loss_aware_scale(kernel: TfTensor, curvature: TfTensor) -> TfTensor:
    """α = ‖d ⊙ w‖₁/‖d‖₁ of the layer, a constant (proposition 3.1): argmin of Σ d·(w − α·sign(w))²."""
    weighted = tf.reduce_sum(curvature * tf.abs(kernel)) / tf.reduce_sum(curvature)
    return tf.stop_gradient(weighted)


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class LossAwareSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """α·sign(w) with `loss_aware_scale`, backward the identity. Its d is a variable that the optimizer sets."""

    precision = 1

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook: d is uniform before the first step, so α is mean|w|."""
        self.curvature = self.add_weight(
            name="curvature",
            shape=input_shape,
            initializer="ones",
            trainable=False,
            aggregation=tf.VariableAggregation.MEAN,
        )
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def binarize(w: TfTensor) -> tuple[TfTensor, Any]:
            return loss_aware_scale(w, tf.cast(self.curvature, w.dtype)) * sign(w), lambda dy: dy

        return binarize(inputs)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return dict(super().get_config())


def with_curvature(default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
    """The optimizer, which also sets d = √v + 1e-8 of each `LossAwareSign` after its step.

    v is the moving average of the squared gradient, as Adam's second moment without its correction: a factor that all
    share does not change α.
    """
    curvatures = {
        identity_of(layer.kernel): layer.kernel_quantizer.curvature
        for layer in model.submodules
        if isinstance(getattr(layer, "kernel_quantizer", None), LossAwareSign)
    }

    def update(each: Update) -> None:
        each.take()
        curvature = curvatures.get(each.identity)
        if curvature is not None:
            squared = tf.square(curvature - _EPSILON)
            # The variable holds √v + 1e-8; v is what it was made of. Before the first step it is 1, and v is 0.
            before = tf.where(each.iterations > 0, squared, tf.zeros_like(squared))
            second = _DECAY * before + (1.0 - _DECAY) * tf.square(each.gradient)
            curvature.assign(tf.sqrt(second) + _EPSILON)

    return with_update(default, update)
