"""BWN: binary weights scaled by the mean magnitude of each filter, float activations."""

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.float_inputs import FloatInputs
from mobile_bnn.methods.method import register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import LarqQuantizer


@register
class Bwn(FloatInputs):
    """The weights of XNOR-Net without its activations."""

    card = Card(
        name="bwn",
        title="Binary-Weight-Networks (BWN)",
        year=2016,
        paper="Rastegari, Ordonez, Redmon, Farhadi: XNOR-Net: ImageNet Classification Using Binary CNNs, ECCV 2016",
        category="quantization error",
        deploy_class="W",
        summary="α·sign(w) with α the mean magnitude of the filter, the closed form that minimizes ‖w − α·b‖²; "
        "activations stay float.",
        formula="weights  α·sign(w), α = ‖w‖₁/n of each filter\nactivations  max(a, 0)\n"
        "gradients  α·g·1{|w| ≤ 1} + sign(w)·⟨g, sign(w)⟩/n",
        choices="The paper writes the gradient element by element, g·(1/n + α·1{|w| ≤ 1}); exact=true, the default, is "
        "the derivative of α·sign(w).",
        published=(
            Published(dataset="ImageNet", network="AlexNet", bits="1/32", top1=56.8, source="the authors' README"),
            Published(dataset="ImageNet", network="ResNet-18", bits="1/32", top1=60.8, source="the authors' README"),
        ),
    )
    exact: bool = Field(True, description="let the gradient pass through the scale too; false holds it constant")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w)."""
        return sign(scale="filter_mean" if self.exact else "constant_filter_mean")
