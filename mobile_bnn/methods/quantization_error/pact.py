"""PACT: activations that are clipped where training finds it best."""

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import register
from mobile_bnn.methods.quantization_error.dorefa import Bits, DoReFa
from mobile_bnn.typing import LarqQuantizer


@register
class Pact(DoReFa):
    """DoReFa's weights, and activations in [0, α] with a learned α; formulas in `layers.activation_steps`."""

    card = Card(
        name="pact",
        title="PACT: Parameterized Clipping Activation",
        year=2018,
        paper="Choi, Wang, Venkataramani, Chuang, Srinivasan, Gopalakrishnan: PACT: Parameterized Clipping Activation "
        "for Quantized Neural Networks, arXiv:1805.06085",
        category="quantization error",
        deploy_class="M",
        bconvs=3,
        summary="activations clipped to [0, α] and rounded to k bits, α learned for each layer; weights as in "
        "DoReFa-Net.",
        formula="weights  as DoReFa-Net\nactivations  round(y·(2^k − 1)/α)·α/(2^k − 1), y = clip(a, 0, α)\n"
        "gradients  1{0 ≤ a < α} to a, 1{a ≥ α} to α\nloss  + λ·α²",
        choices="Two bits of activations by default; with one their values are {0, α}. α starts at 10, as the "
        "paper has it.",
        short_training={"alpha": 2.0},  # at 10 most activations round to 0 until α has shrunk
        published=(
            Published(dataset="ImageNet", network="ResNet-18", bits="1/2", top1=62.9, source="the paper"),
            Published(dataset="ImageNet", network="ResNet-18", bits="2/2", top1=64.4, source="the paper"),
        ),
    )
    input_bits: Bits = Field(2, description="k of the activations")
    alpha: float = Field(10.0, gt=0, allow_inf_nan=False, description="α at the start")
    decay: float = Field(2e-4, ge=0, allow_inf_nan=False, description="λ of the loss on α")

    def input_quantizer(self) -> LarqQuantizer:
        """clip(a, 0, α), rounded."""
        from mobile_bnn.layers.activation_steps import ParameterizedClip

        return ParameterizedClip(self.input_bits, self.alpha, self.decay)
