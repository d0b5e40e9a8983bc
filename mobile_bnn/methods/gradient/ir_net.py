"""IR-Net: balanced weights, and an estimator of the sign's gradient that sharpens while the model trains."""

import math
from collections.abc import Sequence

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.methods.quantizers import scheduled_signs, sign
from mobile_bnn.typing import KerasModel, LarqQuantizer, TfTensor


@register
class IrNet(Method):
    """Libra parameter binarization (section 3.2) and the error-decay estimator (section 3.3)."""

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
        formula="weights  s·sign(ŵ), ŵ = (w − mean(w))/std(w) of each filter, s = 2^round(log₂ mean|ŵ|), a constant\n"
        "activations  sign(a)\n"
        "gradients  k·t·(1 − tanh²(t·x)), t from t_min to t_max geometrically, k = max(1/t, 1)",
        choices="As in the authors' code std has n − 1 and latent weights are not clipped; sign(0) is +1, there "
        "it is 0. "
        "t changes step by step, there once an epoch.",
        published=(
            Published(dataset="CIFAR-10", network="ResNet-20", top1=86.5, source="the authors' README"),
            Published(dataset="CIFAR-10", network="VGG-Small", top1=90.4, source="the authors' README"),
            Published(dataset="ImageNet", network="ResNet-18", top1=58.1, source="the authors' README"),
        ),
    )
    clip: Clip = math.inf
    t_min: float = Field(1e-3, gt=0, allow_inf_nan=False, description="t of the estimator at the start")
    t_max: float = Field(10.0, gt=0, allow_inf_nan=False, description="t of the estimator at the end")

    def kernel_quantizer(self) -> LarqQuantizer:
        """s·sign(ŵ) (equations 5 to 8)."""
        return sign("error_decay", self.t_min, prepare="standardized", scale="power_of_two", scheduled=True)

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward k·t·(1 − tanh²(t·a)) (equation 13)."""
        return sign("error_decay", self.t_min, scheduled=True)

    def t(self, progress: TfTensor) -> TfTensor:
        """T_min · (T_max / T_min)^progress (equation 14)."""
        return self.t_min * (self.t_max / self.t_min) ** progress

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """t of every quantizer."""
        return scheduled_signs(model, self.t)
