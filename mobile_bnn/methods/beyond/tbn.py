"""TBN: ternary activations, binary weights."""

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import LarqQuantizer


@register
class Tbn(Method):
    """Activations of {−1, 0, 1}; formulas in `layers.ternary`."""

    card = Card(
        name="tbn",
        title="Ternary-Binary Network (TBN)",
        year=2018,
        paper="Wan, Shen, Liu, Zhu, Qin, Shao, Shen: TBN: Convolutional Neural Network with Ternary Inputs and Binary "
        "Weights, ECCV 2018",
        category="beyond the survey",
        deploy_class="M",
        bconvs=2,
        summary="activations −1, 0 or 1 with a threshold δ that is a share of their mean magnitude; weights α·sign(w). "
        "In the file two binary convolutions, of the signs of a − δ and a + δ.",
        formula="weights  α·sign(w), α = ‖w‖₁/n of each filter\n"
        "activations  ½·(sign(a − δ) + sign(a + δ)), δ = ρ·mean|a|, its running mean at inference\n"
        "gradients  1{|a| ≤ 1}",
        choices="ρ = 0.5 as in the authors' code, 0.4 in the paper. At a = −δ the value is 0, −1 in that code.",
        published=(
            Published(
                dataset="ImageNet", network="ResNet-18", bits="1/ternary", top1=55.6, source="table of FDA (2021)"
            ),
        ),
    )
    pad_value = 0.0
    ratio: float = Field(0.5, gt=0, allow_inf_nan=False, description="ρ")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w)."""
        return sign(scale="filter_mean")

    def input_quantizer(self) -> LarqQuantizer:
        """−1, 0 or 1."""
        from mobile_bnn.layers.ternary import TernaryInput

        return TernaryInput(self.ratio)
