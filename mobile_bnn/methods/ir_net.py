"""IR-Net: balanced weights, and an estimator of the sign's gradient that sharpens while the model trains."""

import math
from collections.abc import Sequence

from pydantic import Field

from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.typing import KerasModel, LarqQuantizer


@register
class IrNet(Method):
    """Libra parameter binarization and the error-decay estimator; formulas in `layers.error_decay`."""

    card = Card(
        name="ir_net",
        title="IR-Net",
        year=2020,
        paper="Qin, Gong, Liu, Shen, Wei, Yu, Song: Forward and Backward Information Retention for Accurate Binary "
        "Neural Networks, CVPR 2020",
        category="gradient",
        deploy_class="1",
        summary="sign of activations; s·sign of weights that are standardized filter by filter, s a power of two; the "
        "gradient k·t·(1 − tanh²(t·x)), from nearly the identity to nearly the sign's as t grows. Meant for networks "
        "with a real-valued shortcut around every binary convolution.",
    )
    clip: Clip = math.inf
    t_min: float = Field(1e-3, gt=0, allow_inf_nan=False, description="t of the estimator at the start")
    t_max: float = Field(10.0, gt=0, allow_inf_nan=False, description="t of the estimator at the end")

    def kernel_quantizer(self) -> LarqQuantizer:
        """`LibraSign`."""
        from mobile_bnn.layers.error_decay import LibraSign

        return LibraSign(self.t_min)

    def input_quantizer(self) -> LarqQuantizer:
        """`ErrorDecaySign`."""
        from mobile_bnn.layers.error_decay import ErrorDecaySign

        return ErrorDecaySign(self.t_min)

    def t(self, progress: float) -> float:
        """T_min · (T_max / T_min)^progress (equation 14), step by step; the authors' code changes it once an epoch."""
        return float(self.t_min * (self.t_max / self.t_min) ** progress)

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """t of every quantizer."""
        from mobile_bnn.layers.error_decay import ErrorDecaySign, LibraSign

        quantizers = (getattr(layer, name, None) for layer in model.layers for name in _QUANTIZERS)
        ours = [each for each in quantizers if isinstance(each, ErrorDecaySign | LibraSign)]
        return [Schedule(quantizer.t, self.t) for quantizer in ours]


_QUANTIZERS = ("input_quantizer", "kernel_quantizer")
