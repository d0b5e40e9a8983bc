"""WRPN: few bits, and more filters."""

from typing import Annotated, Any

from pydantic import Field

from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantization_error.dorefa import Bits
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasTensor, LarqQuantizer


@register
class Wrpn(Method):
    """BWN's weights or a grid of [−1, 1], DoReFa's activations, and layers several times as wide."""

    card = Card(
        name="wrpn",
        title="WRPN: Wide Reduced-Precision Networks",
        year=2018,
        paper="Mishra, Nurvitadhi, Cook, Marr: WRPN: Wide Reduced-Precision Networks, ICLR 2018",
        category="quantization error",
        deploy_class="1r",
        summary="activations rounded to k bits of [0, 1], weights α·sign(w) or on a grid of [−1, 1]; a "
        "convolution that "
        "a network asks for has `widen` times as many filters.",
        formula="weights  α·sign(w), α = ‖w‖₁/n; for k > 1 round(clip(w, −1, 1)·s)/s, s = 2^(k−1) − 1\n"
        "activations  round(clip(a, 0, 1)·(2^k − 1))/(2^k − 1)\ngradients  1 inside the clips\nfilters × widen",
        choices="Where a network adds a shortcut of its own width to a widened layer it cannot be widened: "
        "widen=1 then.",
        published=(),
    )
    pad_value = 0.0
    weight_bits: Bits = Field(1, description="k of the weights")
    input_bits: Bits = Field(1, description="k of the activations")
    widen: Annotated[int, Field(ge=1, le=4)] = Field(1, description="times as many filters in each binary convolution")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w), or the grid."""
        if self.weight_bits == 1:
            return sign(scale="filter_mean")
        from mobile_bnn.layers.activation_steps import SymmetricGrid

        return SymmetricGrid(self.weight_bits)

    def input_quantizer(self) -> LarqQuantizer:
        """DoReFa's."""
        from mobile_bnn import legacy_keras as keras2

        return keras2.larq.quantizers.DoReFa(k_bit=self.input_bits, mode="activations")

    def conv2d(self, x: KerasTensor, filters: int, *shape: Any, name: str, **options: Any) -> KerasTensor:
        """A binary convolution of more filters."""
        return super().conv2d(x, filters * self.widen, *shape, name=name, **options)
