"""BBG: balanced weights, and a gated shortcut."""

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasTensor, LarqQuantizer


@register
class Bbg(Method):
    """Weights that are centred before their sign is taken; a shortcut that is weighted channel by channel."""

    card = Card(
        name="bbg",
        title="Balanced Binary Neural Networks with Gated Residual (BBG)",
        year=2020,
        paper="Shen, Liu, Gong, Han: Balanced Binary Neural Networks with Gated Residual, ICASSP 2020, "
        "arXiv:1909.12117",
        category="quantization error",
        deploy_class="1+",
        summary="α·sign of weights that are centred filter by filter, which maximizes the entropy of their signs; the "
        "shortcut around a binary convolution is multiplied by a learned γ for each channel.",
        formula="weights  α·sign(v), v = w − mean(w) of each filter, α = mean|v| of the layer, a constant\n"
        "activations  sign(a)\nshortcut  y + γ ⊙ x, γ learned for each channel\ngradients  1{|x| ≤ 1}",
        choices="γ starts at 1, which leaves the network as it was; the paper's start was not seen.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", top1=59.4, source="Papers with Code"),
            Published(dataset="ImageNet", network="ResNet-34", top1=62.6, source="Papers with Code"),
        ),
    )
    needs = frozenset({"shortcut"})
    gate: float = Field(1.0, allow_inf_nan=False, description="γ at the start")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w − mean(w))."""
        return sign(prepare="centred", scale="constant_layer_mean")

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward 1{|a| ≤ 1}."""
        return sign()

    def shortcut(self, x: KerasTensor, y: KerasTensor, *, name: str) -> KerasTensor:
        """y + γ ⊙ x."""
        from mobile_bnn.layers.channel_scale import ChannelScale

        return super().shortcut(ChannelScale(self.gate, name=f"{name}_gate")(x), y, name=name)
