"""AdaBin's binary sets: two values of weights and of activations that need not lie around 0.

Tu, Chen, Ren, Wang: "AdaBin: Improving Binary Neural Networks with Adaptive Binary Sets", ECCV 2022, sections 3.2, 3.3.
"""

from mobile_bnn.layers.estimators import error_decay, piecewise_polynomial, sign_with
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.layers.weight_scales import per_filter
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_TINY = 1e-12  # under the standard deviation of a dead filter


@_REGISTER
class CentredSets(larq.quantizers.Quantizer):  # type: ignore[misc]
    """α·sign((w − β)/α) + β with β the mean and α the standard deviation of each filter (equation 8).

    Both are part of the gradient; that of the sign is k·t·(1 − tanh²(t·x)).

    Args:
        t: at the start; a variable that the method's schedule sets.
    """

    precision = 1

    def __init__(self, t: float = 1e-3, **options: str) -> None:
        super().__init__(**options)
        self._initial = t
        self.t = schedule_variable(t, "t")

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        axes = per_filter(inputs)
        beta = tf.reduce_mean(inputs, axes)
        alpha = tf.sqrt(tf.reduce_mean(tf.square(inputs - beta), axes) + _TINY)
        return alpha * sign_with(error_decay, (inputs - beta) / alpha, self.t) + beta

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "t": self._initial}


@_REGISTER
class LearnedSet(larq.quantizers.Quantizer):  # type: ignore[misc]
    """α·sign((a − β)/α) + β with learned α and β of the layer, 1 and 0 at the start (equation 13).

    Backward (2 − 2|x|)₊ through the sign.

    Args:
        scaled: whether α multiplies the whole sum, α·(sign((a − β)/α) + β), as in the authors' code.
    """

    precision = 1

    def __init__(self, scaled: bool = False, **options: str) -> None:
        super().__init__(**options)
        self._scaled = scaled

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        self.alpha = self.add_weight(name="alpha", shape=(), initializer="ones")
        self.beta = self.add_weight(name="beta", shape=(), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        alpha, beta = (tf.cast(each, inputs.dtype) for each in (self.alpha, self.beta))
        offset = alpha * beta if self._scaled else beta
        return alpha * sign_with(piecewise_polynomial, (inputs - beta) / alpha, tf.ones([])) + offset

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "scaled": self._scaled}


@_REGISTER
class Maxout(tf.keras.layers.Layer):  # type: ignore[misc]
    """c₁·max(x, 0) + c₂·min(x, 0) with learned slopes of each channel, 1 and 0.25 at the start (equation 15)."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Keras's hook."""
        channels, low = (input_shape[-1],), tf.keras.initializers.Constant(0.25)
        self._above = self.add_weight(name="above", shape=channels, initializer="ones")
        self._below = self.add_weight(name="below", shape=channels, initializer=low)
        super().build(input_shape)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        return self._above * tf.nn.relu(inputs) - self._below * tf.nn.relu(-inputs)
