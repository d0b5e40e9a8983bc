"""What a kernel is brought into before its sign is taken, and what the sign is multiplied by afterwards.

Each takes a kernel, float32 [..., filters].
"""

from collections.abc import Callable

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfTensor

KernelFunction = Callable[[TfTensor], TfTensor]


def per_filter(kernel: TfTensor) -> tuple[int, ...]:
    """The axes of one filter."""
    return tuple(range(len(kernel.shape) - 1))


# Before the sign: gradients pass through them.


def unchanged(kernel: TfTensor) -> TfTensor:
    """w."""
    return kernel


def centred(kernel: TfTensor) -> TfTensor:
    """w − mean(w) of each filter: as many weights above 0 as below it, were they symmetric (BBG)."""
    return kernel - tf.reduce_mean(kernel, per_filter(kernel), keepdims=True)


def standardized(kernel: TfTensor) -> TfTensor:
    """(w − mean) / std of each filter, std with n − 1 (IR-Net, equation 5); 0 where all weights are equal."""
    difference = centred(kernel)
    count = kernel.shape.num_elements() // kernel.shape[-1]
    variance = tf.reduce_sum(tf.square(difference), per_filter(kernel)) / max(count - 1, 1)
    spread = variance > 0
    return tf.where(spread, difference / tf.sqrt(tf.where(spread, variance, 1.0)), 0.0)


# After the sign: of the kernel as it was before it.


def one(kernel: TfTensor) -> TfTensor:
    """1."""
    return tf.ones([], kernel.dtype)


def filter_mean(kernel: TfTensor) -> TfTensor:
    """α = ‖w‖₁/n of each filter, through which the gradient passes (BWN, XNOR-Net: equation 6)."""
    return tf.reduce_mean(tf.abs(kernel), per_filter(kernel))


def constant_filter_mean(kernel: TfTensor) -> TfTensor:
    """The same as a constant (Bi-Real Net, HWGQ)."""
    return tf.stop_gradient(filter_mean(kernel))


def layer_mean(kernel: TfTensor) -> TfTensor:
    """mean|w| of the whole layer, through which the gradient passes (CBCN)."""
    return tf.reduce_mean(tf.abs(kernel))


def constant_layer_mean(kernel: TfTensor) -> TfTensor:
    """The same as a constant (DoReFa, BBG, BCGD, Group-Net)."""
    return tf.stop_gradient(layer_mean(kernel))


def power_of_two(kernel: TfTensor) -> TfTensor:
    """2^round(log₂ mean|w|) of each filter, a constant; 1 for a filter of zeros (IR-Net, equation 8)."""
    magnitude = filter_mean(kernel)
    exponent = tf.round(tf.math.log(tf.where(magnitude > 0, magnitude, 1.0)) / tf.math.log(2.0))
    return tf.stop_gradient(tf.pow(2.0, exponent))


PREPARATIONS: dict[str, KernelFunction] = {each.__name__: each for each in (unchanged, centred, standardized)}
SCALES: dict[str, KernelFunction] = {
    each.__name__: each
    for each in (one, filter_mean, constant_filter_mean, layer_mean, constant_layer_mean, power_of_two)
}
