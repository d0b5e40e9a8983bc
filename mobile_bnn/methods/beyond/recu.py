"""ReCU: weights far from 0 are clamped so that they can change their sign again."""

import math
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.typing import KerasModel, KerasTensor, LarqQuantizer, TfTensor


@register
class ReCU(Method):
    """Standardized, clamped weights and a learned scale of each channel; formulas in `layers.recu`."""

    card = Card(
        name="recu",
        title="ReCU: Reviving the Dead Weights",
        year=2021,
        paper="Xu, Lin, Liu, Chen, Shao, Gao, Tian, Ji: ReCU: Reviving the Dead Weights in Binary Neural Networks, "
        "ICCV 2021",
        category="beyond the survey",
        deploy_class="1",
        summary="sign of weights that are standardized and clamped at the τ-quantile of a Laplace distribution, τ "
        "growing; sign of activations with Bi-Real Net's gradient; a learned scale of each output channel.",
        formula="weights  sign(clip(ŵ, −Q, Q)), ŵ = 2√2·(w − mean(w))/√(var(w) + 1e-5), Q = −mean|ŵ|·ln(2 − 2τ)\n"
        "activations  sign(a)\noutput  α ⊙ y, α learned\ngradients  1 inside the clamp;  (2 − 2|v|)₊, "
        "v = a/√(var(a) + 1e-5) of each sample\nτ = c·e^progress + b from tau to last_tau",
        choices="As in the authors' code; there α starts in [0, 1) at random, here at 1, for a dead channel would be "
        "one at 0.",
        published=(
            Published(dataset="CIFAR-10", network="ResNet-20", top1=87.5, source="the authors' README"),
            Published(dataset="ImageNet", network="ResNet-18", top1=61.0, source="the authors' README"),
        ),
    )
    clip: Clip = math.inf
    tau: float = Field(0.85, gt=0.5, lt=1, description="τ at the start")
    last_tau: float = Field(0.99, gt=0.5, lt=1, description="τ at the end")

    def kernel_quantizer(self) -> LarqQuantizer:
        """The clamped sign."""
        from mobile_bnn.layers.recu import RectifiedClampSign

        return RectifiedClampSign(self.tau)

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a)."""
        from mobile_bnn.layers.recu import ScaledInTrainingSign

        return ScaledInTrainingSign()

    def conv2d(self, x: KerasTensor, *shape: Any, name: str, **options: Any) -> KerasTensor:
        """A binary convolution times α."""
        from mobile_bnn.layers.channel_scale import ChannelScale

        return ChannelScale(name=f"{name}_scale")(super().conv2d(x, *shape, name=name, **options))

    def tau_at(self, progress: TfTensor) -> TfTensor:
        """c·e^progress + b with c and b such that it runs from τ's first value to its last."""
        growth = (self.last_tau - self.tau) / (math.e - 1.0)
        return growth * math.e**progress + self.tau - growth

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """τ of every kernel."""
        from mobile_bnn.layers.recu import RectifiedClampSign
        from mobile_bnn.layers.scheduled import quantizers_of

        return [Schedule(q.tau, self.tau_at) for q in quantizers_of(model) if isinstance(q, RectifiedClampSign)]
