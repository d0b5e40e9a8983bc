"""BiPer's periodic weights (Vargas et al., "BiPer", CVPR 2024, section 3.2)."""

from collections.abc import Callable

from mobile_bnn.layers.estimators import sign
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class PeriodicSign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """sign(sin(ωw)), backward ω·cos(ωw); or sin(ωw) itself, as in the first stage.

    Args:
        frequency: ω.
        binary: whether the sign is taken.
    """

    precision = 1

    def __init__(self, frequency: float = 20.0, binary: bool = True, **options: str) -> None:
        super().__init__(**options)
        self._frequency, self._binary = frequency, binary

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        frequency = self._frequency

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def periodic(w: TfTensor) -> tuple[TfTensor, Callable[[TfTensor], TfTensor]]:
            wave = tf.sin(frequency * w)
            return sign(wave) if self._binary else wave, lambda dy: dy * frequency * tf.cos(frequency * w)

        return periodic(inputs)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "frequency": self._frequency, "binary": self._binary}
