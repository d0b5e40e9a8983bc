"""Estimators: what stands for the derivative of the sign in the backward pass, one function of x for each.

The forward pass of all is `sign`. Each estimator is g(x, p), the factor of the upstream gradient, with one parameter p:
a width, a slope or a temperature.
"""

from collections.abc import Callable

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import TfTensor

Estimator = Callable[[TfTensor, TfTensor], TfTensor]


def sign(x: TfTensor) -> TfTensor:
    """+1 where x ≥ 0 (also at −0.0; PyTorch's sign is 0 at 0), else −1.

    Larq's, because LCE's converter knows its operators.
    """
    return larq.math.sign(x)


def straight_through(x: TfTensor, clip: TfTensor) -> TfTensor:
    """1{|x| ≤ clip}: the straight-through estimator (Hubara et al. 2016, equation 4, with clip = 1)."""
    return tf.cast(tf.abs(x) <= clip, x.dtype)


def straight_through_inside(x: TfTensor, clip: TfTensor) -> TfTensor:
    """1{|x| < clip}: 0 at the ends, as in the code of XNOR-Net and of Main/Subsidiary."""
    return tf.cast(tf.abs(x) < clip, x.dtype)


def identity(x: TfTensor, _: TfTensor) -> TfTensor:
    """1: the gradient of the binary weight is applied to the latent one."""
    return tf.ones_like(x)


def piecewise_polynomial(x: TfTensor, _: TfTensor) -> TfTensor:
    """(2 − 2|x|)₊ (Bi-Real Net, Liu et al. 2018, equation 8): its integral is the sign's jump, 2."""
    return tf.nn.relu(2.0 - 2.0 * tf.abs(x))


def sign_swish(x: TfTensor, beta: TfTensor) -> TfTensor:
    """β·(2 − βx·tanh(βx/2)) / (1 + cosh βx) (BNN+, Darabi et al. 2018): the derivative of SignSwish.

    SignSwish is 2σ(βx)·(1 + βx·(1 − σ(βx))) − 1. Here cosh is written by exp(−|βx|), which cannot overflow.
    """
    z = beta * x
    decay = tf.exp(-tf.abs(z))
    return beta * (2.0 - z * tf.tanh(z / 2.0)) * 2.0 * decay / tf.square(1.0 + decay)


def error_decay(x: TfTensor, t: TfTensor) -> TfTensor:
    """k·t·(1 − tanh²(t·x)) with k = max(1/t, 1) (IR-Net, Qin et al. 2020, equations 13 and 14).

    1 − tanh²(z) is 4e/(1 + e)² with e = exp(−2|z|), of which no digits cancel.
    """
    decay = tf.exp(-2.0 * tf.abs(t * x))
    return tf.maximum(1.0 / t, 1.0) * t * 4.0 * decay / tf.square(1.0 + decay)


def training_aware(x: TfTensor, t: TfTensor) -> TfTensor:
    """k·(√2·t − t²|x|)₊ with k = max(1/t, 1) (RBNN, Lin et al. 2020, equation 14)."""
    return tf.maximum(1.0 / t, 1.0) * tf.nn.relu(2.0**0.5 * t - tf.square(t) * tf.abs(x))


ESTIMATORS: dict[str, Estimator] = {
    function.__name__: function
    for function in (
        straight_through,
        straight_through_inside,
        identity,
        piecewise_polynomial,
        sign_swish,
        error_decay,
        training_aware,
    )
}


def sign_with(estimator: Estimator, x: TfTensor, parameter: TfTensor) -> TfTensor:
    """`sign` of x, whose gradient is upstream · estimator(x, parameter)."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def binarize(x: TfTensor) -> tuple[TfTensor, Callable[[TfTensor], TfTensor]]:
        return sign(x), lambda dy: dy * estimator(x, tf.cast(parameter, x.dtype))

    return binarize(x)
