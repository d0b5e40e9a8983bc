"""PokeBNN's binarization (Zhang, Zhang, Lew: "PokeBNN", CVPR 2022, section 4)."""

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign, straight_through
from mobile_bnn.layers.weight_scales import per_filter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_EDGE = 2.0**-7  # how far below the bound the authors' code clips


def filter_maximum(kernel: TfTensor) -> TfTensor:
    """max|w| of each filter: float32 [filters]."""
    return tf.reduce_max(tf.abs(kernel), per_filter(kernel))


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class BoundedSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """(floor(clip(x/B, ±(1 − ε))) + ½)·B = B/2·sign(x), backward 1{|x| ≤ B·(1 − ε)}; ε = 2⁻⁷.

    Args:
        bound: B, of activations; None takes `filter_maximum` of a kernel, as a constant.
    """

    precision = 1

    def __init__(self, bound: float | None = None, **options: str) -> None:
        super().__init__(**options)
        self._bound = bound

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        bound = filter_maximum(inputs) if self._bound is None else tf.constant(self._bound, inputs.dtype)
        return with_gradient(inputs, bound / 2.0 * sign(inputs), straight_through(inputs, bound * (1.0 - _EDGE)))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bound": self._bound}
