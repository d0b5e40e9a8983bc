"""Self-Binarizing Networks: a tanh that steepens until it is the sign."""

from collections.abc import Sequence

from pydantic import Field

from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.methods.quantizers import soft_sign, soft_signs
from mobile_bnn.typing import KerasModel, LarqQuantizer, TfTensor


@register
class SelfBinarizing(Method):
    """tanh(νx) of weights and activations, with its own derivative; formulas in `layers.soft_sign`."""

    card = Card(
        name="self_binarizing",
        title="Self-Binarizing Networks",
        year=2019,
        paper="Lahoud, Achanta, Márquez-Neila, Süsstrunk: Self-Binarizing Networks, arXiv:1902.00730",
        category="gradient",
        deploy_class="1",
        summary="tanh(νx) in place of the sign of weights and activations, with its exact derivative; ν grows until "
        "the tanh is a sign, which is what the file computes.",
        formula="weights  tanh(νw)\nactivations  tanh(νa)\ngradients  ν·(1 − tanh²(νx))\n"
        "ν from slope to last_slope geometrically; at inference sign",
        choices="The paper's schedule of ν was not seen: from 1 to 1000, geometrically. Its batch norm as a comparison "
        "with a threshold is what the converter makes of any batch norm before a sign.",
    )
    slope: float = Field(1.0, gt=0, allow_inf_nan=False, description="ν at the start")
    last_slope: float = Field(1000.0, gt=0, allow_inf_nan=False, description="ν at the end")

    def kernel_quantizer(self) -> LarqQuantizer:
        """tanh(νw)."""
        return soft_sign("scaled_tanh", self.slope)

    def input_quantizer(self) -> LarqQuantizer:
        """tanh(νa)."""
        return soft_sign("scaled_tanh", self.slope)

    def slope_at(self, progress: TfTensor) -> TfTensor:
        """ν: slope · (last_slope / slope)^progress."""
        return self.slope * (self.last_slope / self.slope) ** progress

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """ν of every quantizer."""
        return [Schedule(each.slope, self.slope_at) for each in soft_signs(model)]
