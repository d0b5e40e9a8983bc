"""PokeBNN's quantizers: half a bound times a sign, the bound being what gradients pass within."""

import math

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.typing import LarqQuantizer


@register
class PokeBnn(Method):
    """Signs between bounds; formulas in `layers.bounded_sign`."""

    card = Card(
        name="poke_bnn",
        title="PokeBNN (its quantizers)",
        year=2022,
        paper="Zhang, Zhang, Lew: PokeBNN: A Binary Pursuit of Lightweight Accuracy, CVPR 2022",
        category="beyond the survey",
        deploy_class="1",
        summary="activations ±B/2 with a fixed bound B = 3, weights half the greatest magnitude of their filter times "
        "their sign; the gradient passes inside the bound.",
        formula="weights  max|w|/2·sign(w) of each filter, a constant\nactivations  B/2·sign(a)\n"
        "gradients  1{|a| ≤ B·(1 − 2⁻⁷)};  g for weights within 1 − 2⁻⁷ of the greatest",
        choices="As in the authors' library (AQT): floor(clip(x/B, ±(1 − ε))) + ½, so 0 counts as above it; ε = 2⁻⁷. "
        "Only the quantizers: their block (DPReLU, gates of 4 bits, shortcuts, a first layer of 8 bits) belongs to a "
        "network, the teacher to the recipe's [teacher]; that weights stay float for the first 50 steps is left out.",
        published=(
            Published(dataset="ImageNet", network="PokeBNN-1.0x", top1=73.4, source="Papers with Code"),
            Published(dataset="ImageNet", network="PokeBNN-2.0x", top1=75.6, source="the paper's abstract"),
        ),
    )
    pad_value = 1.5
    clip: Clip = math.inf
    bound: float = Field(3.0, gt=0, allow_inf_nan=False, description="B of the activations")

    def kernel_quantizer(self) -> LarqQuantizer:
        """max|w|/2·sign(w)."""
        from mobile_bnn.layers.bounded_sign import BoundedSign

        return BoundedSign()

    def input_quantizer(self) -> LarqQuantizer:
        """B/2·sign(a)."""
        from mobile_bnn.layers.bounded_sign import BoundedSign

        return BoundedSign(self.bound)
