"""XNOR-Net++: one learned scale of the output in place of two computed ones."""

from typing import Any, Literal

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasTensor, LarqQuantizer

_AXES = {"channel": ("channel",), "channel_row_column": ("channel", "row", "column")}


@register
class XnorNetPlusPlus(Method):
    """Signs of weights and activations, and Γ learned by backpropagation."""

    card = Card(
        name="xnor_net_plus_plus",
        title="XNOR-Net++",
        year=2019,
        paper="Bulat, Tzimiropoulos: XNOR-Net++: Improved Binary Neural Networks, BMVC 2019",
        category="quantization error",
        deploy_class="S",
        summary="sign of weights and activations; the output is multiplied by Γ, which is learned: by default an outer "
        "product of a factor for each channel, row and column, so the image size is fixed.",
        formula="weights  sign(w)\nactivations  sign(a)\noutput  (sign(a) ∗ sign(w)) ⊙ Γ, Γ = α ⊗ β ⊗ γ of channels, "
        "rows and columns\ngradients  1{|x| ≤ 1}; Γ by backpropagation, all factors 1 at the start",
        choices="Of the paper's four forms the first (scale=channel) and the last and best (scale=channel_row_column, "
        "the default).",
        published=(Published(dataset="ImageNet", network="ResNet-18", top1=57.1, source="Papers with Code"),),
    )
    scale: Literal["channel", "channel_row_column"] = Field(
        "channel_row_column", description="what Γ has factors of: channel, or channel_row_column"
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """sign(w), backward 1{|w| ≤ 1}."""
        return sign()

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward 1{|a| ≤ 1}."""
        return sign()

    def conv2d(self, x: KerasTensor, *shape: Any, name: str, **options: Any) -> KerasTensor:
        """A binary convolution times Γ."""
        from mobile_bnn.layers.channel_scale import ChannelScale

        y = super().conv2d(x, *shape, name=name, **options)
        return ChannelScale(axes=_AXES[self.scale], name=f"{name}_scale")(y)
