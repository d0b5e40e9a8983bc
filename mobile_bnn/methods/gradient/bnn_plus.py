"""BNN+: the derivative of a swish as the sign's gradient, and weights that are drawn to ±α."""

from typing import Literal

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasRegularizer, LarqQuantizer


@register
class BnnPlus(Method):
    """SignSwish in the backward pass, and a regularizer of the weights."""

    card = Card(
        name="bnn_plus",
        title="BNN+",
        year=2018,
        paper="Darabi, Belbahri, Courbariaux, Partovi Nia: BNN+: Improved Binary Network Training, arXiv:1812.11800",
        category="gradient",
        deploy_class="1",
        summary="sign of weights and activations with the derivative of SignSwish as gradient; a regularizer draws the "
        "weights to ±α, with α the median (R1) or mean (R2) magnitude of the filter.",
        formula="weights  α·sign(w)\nactivations  sign(a)\ngradients  β(2 − βx·tanh(βx/2))/(1 + cosh βx)\n"
        "loss  + λ·Σ|α − |w|| (R1) or + λ·Σ(α − |w|)² (R2)",
        choices="The paper learns α by backpropagation; here α minimizes the regularizer, as the paper shows that it "
        "would: the median for R1, the mean for R2, and scales nothing, for a batch norm follows. β = 5; λ and whether "
        "R is a mean or a sum were not seen: 1e-6 times the sum.",
        published=(
            Published(dataset="CIFAR-10", network="VGG-Small", top1=91.31, source="table of FDA (NeurIPS 2021)"),
            Published(dataset="CIFAR-10", network="ResNet-20", top1=84.59, source="table of FDA (NeurIPS 2021)"),
        ),
    )
    beta: float = Field(5.0, gt=0, allow_inf_nan=False, description="β of SignSwish: how near it is to the sign")
    regularizer: Literal["R1", "R2"] = Field("R1", description="of the weights: R1 or R2")
    strength: float = Field(1e-6, ge=0, allow_inf_nan=False, description="λ of the regularizer")

    def kernel_quantizer(self) -> LarqQuantizer:
        """sign(w), backward the derivative of SignSwish."""
        return sign("sign_swish", self.beta)

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward the derivative of SignSwish."""
        return sign("sign_swish", self.beta)

    def kernel_regularizer(self) -> KerasRegularizer | None:
        """λ·R."""
        from mobile_bnn.layers.regularizers import ToPlusMinusAlpha

        return ToPlusMinusAlpha(self.strength, power=1 if self.regularizer == "R1" else 2) if self.strength else None
