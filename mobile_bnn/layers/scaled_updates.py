"""An optimizer whose steps are longer or shorter for some variables."""

import math

from mobile_bnn.layers.changed_updates import Update, identity_of, with_update
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasModel, KerasOptimizer


def glorot_factor(shape: tuple[int, ...]) -> float:
    """1/√(1.5/(fan_in + fan_out)) of a kernel [..., in, out]; the taps count in both fans."""
    taps = math.prod(shape[:-2])
    return 1.0 / math.sqrt(1.5 / (taps * (shape[-2] + shape[-1])))


def with_glorot_factors(default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
    """The optimizer, whose steps of kernels with a quantizer are `glorot_factor` times as long.

    BinaryConnect (Courbariaux, Bengio, David 2015), section 2.5: "scaling the learning rates".
    """
    factors = {
        identity_of(layer.kernel): glorot_factor(tuple(layer.kernel.shape))
        for layer in model.submodules
        if getattr(layer, "kernel_quantizer", None) is not None
    }

    def update(each: Update) -> None:
        before = tf.identity(each.variable)
        each.take()
        if factor := factors.get(each.identity):
            each.variable.assign(before + factor * (each.variable - before))

    return with_update(default, update)
