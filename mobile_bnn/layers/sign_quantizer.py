"""The sign as a quantizer, of activations or of kernels: an estimator, and a scale."""

from mobile_bnn.layers.estimators import ESTIMATORS, sign_with
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.layers.weight_scales import PREPARATIONS, SCALES
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class Sign(larq.quantizers.Quantizer):  # type: ignore[misc]
    """scale(v) · sign(v) with v = prepare(x).

    Args:
        estimator: of the sign's gradient, a name of `estimators.ESTIMATORS`.
        parameter: of the estimator.
        scheduled: whether the parameter is a variable, which the method's schedule sets.
        prepare: a name of `weight_scales.PREPARATIONS`, for kernels.
        scale: a name of `weight_scales.SCALES`, for kernels.
    """

    precision = 1

    def __init__(
        self,
        estimator: str = "straight_through",
        parameter: float = 1.0,
        prepare: str = "unchanged",
        scale: str = "one",
        scheduled: bool = False,
        **options: str,
    ) -> None:
        super().__init__(**options)
        self._names = {"estimator": estimator, "prepare": prepare, "scale": scale}
        self._initial, self.scheduled = parameter, scheduled
        self._estimate = ESTIMATORS[estimator]
        self._prepare, self._scale = PREPARATIONS[prepare], SCALES[scale]
        self.parameter = schedule_variable(parameter, "parameter") if scheduled else parameter

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        prepared = self._prepare(inputs)
        signs = sign_with(self._estimate, prepared, self.parameter)
        return signs if self._names["scale"] == "one" else self._scale(prepared) * signs

    @property
    def is_plain(self) -> bool:
        """Whether it is the sign of its input itself, without a scale."""
        return self._names["prepare"] == "unchanged" and self._names["scale"] == "one"

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), **self._names, "parameter": self._initial, "scheduled": self.scheduled}
