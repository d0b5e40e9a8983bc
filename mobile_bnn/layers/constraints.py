"""What is done to latent weights after every step, in the training step itself."""

from mobile_bnn.layers.estimators import sign
from mobile_bnn.layers.scheduled import schedule_variable
from mobile_bnn.layers.weight_scales import layer_mean
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")


@_REGISTER
class CentreAndClip(tf.keras.constraints.Constraint):  # type: ignore[misc]
    """w − mean of w over the input channels, then clipped to ±1: before each step of XNOR-Net's official code.

    Weights of a single input channel are only clipped: centred they would all be 0. That code leaves its first layer,
    of three channels, float.
    """

    def __call__(self, w: TfTensor) -> TfTensor:
        """Keras's hook: a kernel [..., input channels, filters]."""
        mean = tf.reduce_mean(w, axis=-2, keepdims=True) if w.shape[-2] > 1 else 0.0
        return tf.clip_by_value(w - mean, -1.0, 1.0)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {}


@_REGISTER
class BlendWithQuantized(tf.keras.constraints.Constraint):  # type: ignore[misc]
    """(1 − ρ)·w + ρ·Q(w) with Q(w) = mean|w|·sign(w) of the layer (BCGD, Yin et al. 2018, equation 9).

    The paper blends before it subtracts the gradient, here the step has been taken: it is the same sequence, begun
    half a step later, for blending changes neither the signs nor the mean magnitude, and so not Q(w).
    """

    def __init__(self, rho: float = 1e-5) -> None:
        self._rho = rho

    def __call__(self, w: TfTensor) -> TfTensor:
        """Keras's hook."""
        return (1.0 - self._rho) * w + self._rho * layer_mean(w) * sign(w)

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {"rho": self._rho}


def prox_to_signs(w: TfTensor, strength: TfTensor) -> TfTensor:
    """sign(w)·(1 + sign(|w| − 1)·(||w| − 1| − λ)₊), clipped to ±1: argmin over z of ½(z − w)² + λ·min|z ∓ 1|.

    ProxQuant (Bai, Wang, Liberty 2019), equation 11 for the distance in its first power.
    """
    beyond = tf.abs(w) - 1.0
    moved = 1.0 + tf.sign(beyond) * tf.nn.relu(tf.abs(beyond) - strength)
    return tf.clip_by_value(sign(w) * moved, -1.0, 1.0)


@_REGISTER
class ProxToSigns(tf.keras.constraints.Constraint):  # type: ignore[misc]
    """`prox_to_signs` after each step, with a strength that the method's schedule sets."""

    def __init__(self) -> None:
        self.strength = schedule_variable(0.0, "strength")

    def __call__(self, w: TfTensor) -> TfTensor:
        """Keras's hook."""
        return prox_to_signs(w, tf.cast(self.strength, w.dtype))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {}
