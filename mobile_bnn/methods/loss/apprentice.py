"""Apprentice: a network of few bits that a float one teaches."""

import math
from typing import ClassVar

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.typing import Json, LarqQuantizer


@register
class Apprentice(Method):
    """Ternary weights and rounded activations with a teacher; formulas in `layers.ternary_weights`."""

    card = Card(
        name="apprentice",
        title="Apprentice",
        year=2018,
        paper="Mishra, Marr: Apprentice: Using Knowledge Distillation Techniques to Improve Low-Precision Network "
        "Accuracy, ICLR 2018",
        category="loss",
        deploy_class="Q",
        summary="ternary weights and activations of 8 bits; a float network's softmax is half of the target.",
        formula="weights  α·{−1, 0, 1}: 0 where |w| ≤ Δ = 0.7·mean|w|, α = mean of the |w| above Δ, of each filter\n"
        "activations  Q(clip(a, 0, 1)), Q(x) = round(x·(2^k − 1))/(2^k − 1)\n"
        "gradients  g for weights;  1{0 ≤ a ≤ 1}\nloss  β·H(y, p_s) + γ·H(p_t, p_s)",
        choices="Scheme B: the teacher is trained first and stays, so its own term α·H(y, p_t) does not touch the "
        "student; scheme A trains both at once. β = γ = ½ is recalled, not verified. Ternary weights are those of "
        "Ternary Weight Networks.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", bits="2/32", top1=68.5, source="recalled, not verified"),
        ),
    )
    pad_value = 0.0
    teacher: ClassVar[dict[str, Json]] = {"name": "float_twin", "weight": 0.5, "temperature": 1.0}
    clip: Clip = math.inf
    input_bits: int = Field(8, ge=1, le=8, description="k of the activations; to 4 layers become binary convolutions")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·{−1, 0, 1}."""
        from mobile_bnn.layers.ternary_weights import TernaryWeights

        return TernaryWeights()

    def input_quantizer(self) -> LarqQuantizer:
        """Q(clip(a, 0, 1)), backward 1{0 ≤ a ≤ 1}."""
        from mobile_bnn import legacy_keras as keras2

        return keras2.larq.quantizers.DoReFa(k_bit=self.input_bits, mode="activations")
