"""LQ-Nets: levels that are fitted while the model trains."""

import math
from typing import Annotated

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.typing import LarqQuantizer

Bits = Annotated[int, Field(ge=1, le=3)]


@register
class LqNets(Method):
    """Sums of a few learned numbers; formulas in `layers.learned_levels`."""

    card = Card(
        name="lq_nets",
        title="LQ-Nets",
        year=2018,
        paper="Zhang, Yang, Ye, Hua: LQ-Nets: Learned Quantization for Highly Accurate and Compact Deep Neural "
        "Networks, "
        "ECCV 2018",
        category="quantization error",
        deploy_class="M",
        bconvs=3,
        summary="weights and activations take the nearest of 2^k levels, sums of k learned numbers; in each step these "
        "are fitted by least squares to what they stand for.",
        formula="weights  ⟨v, e⟩, e ∈ {−1, 1}^k, v of each output channel\n"
        "activations  ⟨v, e⟩ of max(a, 0), e ∈ {0, 1}^k, v of the layer\n"
        "v ← 0.9·v + 0.1·(BᵀB)⁻¹Bᵀx in each step\ngradients  g for weights;  1{0 < a ≤ highest level}",
        choices="As in the authors' code: the moving average, a ridge of 1e-4 for the weights' least squares.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", bits="1/2", top1=62.6, source="the authors' README"),
            Published(dataset="ImageNet", network="ResNet-34", bits="1/2", top1=66.6, source="the authors' README"),
        ),
    )
    pad_value = 0.0
    clip: Clip = math.inf
    weight_bits: Bits = Field(1, description="k of the weights")
    input_bits: Bits = Field(2, description="k of the activations")

    def kernel_quantizer(self) -> LarqQuantizer:
        """The nearest level of the channel's."""
        from mobile_bnn.layers.learned_levels import LearnedWeightLevels

        return LearnedWeightLevels(self.weight_bits)

    def input_quantizer(self) -> LarqQuantizer:
        """The nearest level of the layer's."""
        from mobile_bnn.layers.learned_levels import LearnedInputLevels

        return LearnedInputLevels(self.input_bits)
