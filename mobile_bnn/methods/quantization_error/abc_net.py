"""ABC-Net: weights and activations as sums of several signs."""

from typing import Annotated

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.typing import LarqQuantizer

Bases = Annotated[int, Field(ge=1, le=5)]


@register
class AbcNet(Method):
    """M shifted signs of weights, N of activations; formulas in `layers.multiple_bases`."""

    card = Card(
        name="abc_net",
        title="ABC-Net (Accurate Binary Convolutional Network)",
        year=2017,
        paper="Lin, Zhao, Pan: Towards Accurate Binary Convolutional Neural Network, NeurIPS 2017",
        category="quantization error",
        deploy_class="M",
        bconvs=9,
        summary="weights are the sum of M signs of shifted weights, whose factors least squares finds in each step; "
        "activations the sum of N signs with learned shifts and factors: M·N binary convolutions.",
        formula="weights  Σ α_m·B_m, B_m = sign(w − mean(w) + u_m·std(w)), u_m evenly in [−1, 1], α = (BᵀB)⁻¹Bᵀw\n"
        "activations  Σ β_n·H_n, H_n = 2·1{clip(a + v_n, 0, 1) ≥ ½} − 1, β and v learned\n"
        "gradients  Σ α_m·1{|w| ≤ 1};  β_n·1{0 ≤ a + v_n ≤ 1} to a and v_n, H_n to β_n",
        choices="Mean, std and α are of each filter, as the paper allows; the ports that exist take them of the whole "
        "layer. The start of v and β was not seen: v evenly in [−½, ½], β = 1/N. Zeros of a convolution's padding "
        "are +1, a constant outside the bases. Files hold at most four bases of weights.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", top1=42.7, source="table of FDA (NeurIPS 2021)"),
            Published(dataset="ImageNet", network="ResNet-18", bits="5/5", top1=65.0, source="recalled, not verified"),
        ),
    )
    weight_bases: Bases = Field(3, description="M")
    input_bases: Bases = Field(3, description="N")

    def kernel_quantizer(self) -> LarqQuantizer:
        """Σ α_m·B_m."""
        from mobile_bnn.layers.multiple_bases import FittedBases

        return FittedBases(self.weight_bases)

    def input_quantizer(self) -> LarqQuantizer:
        """Σ β_n·H_n."""
        from mobile_bnn.layers.multiple_bases import LearnedBases

        return LearnedBases(self.input_bases)
