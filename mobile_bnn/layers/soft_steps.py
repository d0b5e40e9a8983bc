"""Two-valued quantizers whose training form is soft: DSQ's and those of Quantization Networks."""

from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


def sharpness(alpha: TfTensor, width: TfTensor) -> TfTensor:
    """k = ln(2/α − 1)/Δ: then α = 1 − tanh(kΔ/2) is how far the curve stays away from its ends (DSQ, equation 9)."""
    return tf.math.log(2.0 / alpha - 1.0) / width


def asymptotic(x: TfTensor, low: TfTensor, high: TfTensor, alpha: TfTensor) -> TfTensor:
    """φ(x) = tanh(k(x − m))/tanh(kΔ/2), m = (l + u)/2, Δ = u − l (DSQ, equation 4): −1 at l, 0 at m, 1 at u."""
    return tf.tanh(sharpness(alpha, high - low) * (x - (low + high) / 2.0)) / (1.0 - alpha)


def asymptotic_slope(x: TfTensor, low: TfTensor, high: TfTensor, alpha: TfTensor) -> TfTensor:
    """φ'(x) inside [l, u], 0 outside."""
    k = sharpness(alpha, high - low)
    decay = tf.exp(-2.0 * tf.abs(k * (x - (low + high) / 2.0)))
    slope = k / (1.0 - alpha) * 4.0 * decay / tf.square(1.0 + decay)
    return slope * tf.cast((x >= low) & (x <= high), x.dtype)


@_REGISTER
class SoftQuantization(larq.quantizers.Quantizer):  # type: ignore[misc]
    """DSQ at one bit (Gong et al. 2019): {l, u} by the sign of φ, backward (u − l)/2 · φ'; l, u and α are learned.

    Args:
        low, high: l and u at the start.
        alpha: α at the start, in (0, 1).
        learn_ends: False leaves l and u as they are.
    """

    precision = 1

    def __init__(
        self, low: float = -1.0, high: float = 1.0, alpha: float = 0.2, learn_ends: bool = True, **options: str
    ) -> None:
        super().__init__(**options)
        self._initial = {"low": low, "high": high, "alpha": alpha}
        self._learn_ends = learn_ends
        constants = {name: tf.keras.initializers.Constant(value) for name, value in self._initial.items()}
        self.low, self.high = (
            self.add_weight(name=name, shape=(), initializer=constants[name], trainable=learn_ends)
            for name in ("low", "high")
        )
        self.alpha = self.add_weight(
            name="alpha",
            shape=(),
            initializer=constants["alpha"],
            constraint=lambda value: tf.clip_by_value(value, 1e-3, 0.5),
        )

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook: through the soft form where a gradient is taken, to the hard value."""
        low, high, alpha = (tf.cast(each, inputs.dtype) for each in (self.low, self.high, self.alpha))
        middle, half = (low + high) / 2.0, (high - low) / 2.0
        soft = middle + half * asymptotic(tf.clip_by_value(inputs, low, high), low, high, alpha)
        hard = tf.where(inputs >= middle, high, low)
        # The other way round, soft + (hard − soft), rounding would leave more than two values.
        return tf.stop_gradient(hard) + (soft - tf.stop_gradient(soft))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), **self._initial, "learn_ends": self._learn_ends}


@_REGISTER
class SigmoidStep(larq.quantizers.Quantizer):  # type: ignore[misc]
    """Quantization Networks at one bit (Yang et al. 2019): α·(s·σ(T(βx − b)) − o) in training, a unit step after it.

    Weights: s = 2, o = 1, b = 0, so {−α, α}. Activations: s = 1, o = 0, so {0, α} (equations 5 and 6). α and β are
    learned; the derivative is that of the sigmoid.

    Args:
        signed: whether of weights.
        beta: β at the start; α begins as 1/β.
        temperature: T at the start; a variable that the method's schedule sets.
    """

    precision = 1

    def __init__(self, signed: bool = True, beta: float = 1.0, temperature: float = 1.0, **options: str) -> None:
        super().__init__(**options)
        self._options = {"signed": signed, "beta": beta, "temperature": temperature}
        self.temperature = schedule_variable(temperature, "temperature")
        start = tf.keras.initializers.Constant
        self.alpha = self.add_weight(name="alpha", shape=(), initializer=start(1.0 / beta))
        self.beta = self.add_weight(name="beta", shape=(), initializer=start(beta))
        self._bias = 0.0 if signed else 0.5

    def call(self, inputs: TfTensor, training: bool | None = None) -> TfTensor:
        """Keras's hook."""
        alpha, beta, temperature = (tf.cast(each, inputs.dtype) for each in (self.alpha, self.beta, self.temperature))
        argument = beta * inputs - self._bias
        step = tf.sigmoid(temperature * argument) if training else tf.cast(argument > 0.0, inputs.dtype)
        return alpha * (2.0 * step - 1.0 if self._options["signed"] else step)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), **self._options}
