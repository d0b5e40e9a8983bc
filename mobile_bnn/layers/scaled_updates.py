"""An optimizer whose steps are longer or shorter for some variables."""

import math
from collections.abc import Mapping
from typing import Any

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasModel, KerasOptimizer, TfTensor


def glorot_factor(shape: tuple[int, ...]) -> float:
    """1/√(1.5/(fan_in + fan_out)) of a kernel [..., in, out]; the taps count in both fans."""
    taps = math.prod(shape[:-2])
    return 1.0 / math.sqrt(1.5 / (taps * (shape[-2] + shape[-1])))


def with_glorot_factors(default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
    """The optimizer, whose steps of kernels with a quantizer are `glorot_factor` times as long.

    BinaryConnect (Courbariaux, Bengio, David 2015), section 2.5: "scaling the learning rates".
    """
    factors = {
        layer.kernel._unique_id: glorot_factor(tuple(layer.kernel.shape))
        for layer in model.submodules
        if getattr(layer, "kernel_quantizer", None) is not None
    }
    return _scaling(type(default), factors).from_config(default.get_config())


def _scaling(base: type[KerasOptimizer], factors: Mapping[str, float]) -> type[KerasOptimizer]:
    class Scaled(base):  # type: ignore[misc]
        """Moves some variables further."""

        def update_step(self, gradient: TfTensor, variable: Any) -> None:
            """Keras's hook."""
            factor = factors.get(variable._unique_id)
            if factor is None:
                super().update_step(gradient, variable)
                return
            before = tf.identity(variable)
            super().update_step(gradient, variable)
            variable.assign(before + factor * (variable - before))

    Scaled.__name__ = base.__name__
    return Scaled
