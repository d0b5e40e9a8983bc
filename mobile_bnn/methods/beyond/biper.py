"""BiPer: the sign of a sine of the weights."""

import math
from collections.abc import Sequence

from pydantic import Field

from mobile_bnn.methods.beyond.recu import ReCU
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, register
from mobile_bnn.methods.plan import Phase, Schedule
from mobile_bnn.typing import KerasModel, LarqQuantizer


@register
class BiPer(ReCU):
    """Periodic weights in two stages, activations and scale as ReCU has them; formulas in `layers.periodic`."""

    card = Card(
        name="biper",
        title="BiPer",
        year=2024,
        paper="Vargas, Correa, Hinojosa, Arguello: BiPer: Binary Neural Networks using a Periodic Function, CVPR 2024",
        category="beyond the survey",
        deploy_class="1",
        summary="weights sin(ωw) in a first stage and sign(sin(ωw)) in a second, with the sine's own derivative; "
        "sign of "
        "activations and a learned scale of each channel, as ReCU has them.",
        formula="weights  sin(ωw), then sign(sin(ωw)), ω = 20\nactivations  sign(a)\noutput  α ⊙ y, α learned\n"
        "gradients  ω·cos(ωw) for weights;  (2 − 2|v|)₊, v = a/√(var(a) + 1e-5) of each sample",
        choices="Both stages are phases of one training, half of the epochs each; the authors train them one by one.",
        published=(
            Published(dataset="CIFAR-10", network="ResNet-18", top1=93.75, source="the authors' README"),
            Published(dataset="CIFAR-10", network="ResNet-20", top1=86.98, source="the authors' README"),
        ),
    )
    clip: Clip = math.inf
    frequency: float = Field(20.0, gt=0, allow_inf_nan=False, description="ω")
    smooth: float = Field(0.5, ge=0, lt=1, description="share of the epochs, from the first, without the sign")

    def kernel_quantizer(self) -> LarqQuantizer:
        """sin(ωw), or its sign."""
        from mobile_bnn.layers.periodic import PeriodicSign

        return PeriodicSign(self.frequency, binary=self._phase.name != "sines")

    def phases(self) -> Sequence[Phase]:
        """Sines, then their signs."""
        if not self.smooth:
            return super().phases()
        return Phase("sines", self.smooth), Phase("signs", 1 - self.smooth, reset_optimizer=True)

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """None."""
        return ()
