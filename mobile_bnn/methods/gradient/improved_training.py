"""Improved training of binary networks: a soft sign that hardens, PReLU, and inputs that are binarized first."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.methods.quantizers import sign, soft_sign, soft_signs
from mobile_bnn.typing import KerasModel, KerasTensor, LarqQuantizer, TfTensor


@register
class ImprovedTraining(Method):
    """XNOR-Net's weights, and activations by a soft sign; formulas in `layers.soft_sign`."""

    card = Card(
        name="improved_training",
        title="Improved Training of Binary Networks",
        year=2019,
        paper="Bulat, Tzimiropoulos, Kossaifi, Pantic: Improved Training of Binary Networks for Human Pose Estimation "
        "and Image Recognition, arXiv:1904.05868",
        category="gradient",
        deploy_class="1+",
        summary="activations by 2σ(λa) − 1, tanh(λa) or softsign, whose λ grows until it is a sign; XNOR-Net's "
        "weights; a PReLU after every binary convolution; inputs are binarized first, weights in a second phase.",
        formula="weights  α·sign(w), α = ‖w‖₁/n of each filter\nactivations  2σ(λa) − 1, at inference sign(a)\n"
        "gradients  those of the soft sign; α·1{|w| ≤ 1}\nλ = 2^(16·progress)",
        choices="λ from 1 to 2¹⁶ geometrically. Stacking and distillation, which the paper uses for poses, belong to "
        "the network and the recipe's [teacher].",
        short_training={"doublings": 8.0},  # at 16 no gradient is left in the few epochs of binary weights
        published=(
            Published(dataset="ImageNet", network="AlexNet", top1=48.6, source="the paper's abstract"),
            Published(dataset="ImageNet", network="ResNet-18", top1=53.7, source="the paper's abstract"),
        ),
    )
    float_kernels: float = Field(
        0.5, ge=0, lt=1, description="share of the epochs, from the first, in which only inputs are binarized"
    )
    function: Literal["shifted_sigmoid", "scaled_tanh", "soft_sign"] = Field(
        "shifted_sigmoid", description="the soft sign: shifted_sigmoid, scaled_tanh or soft_sign"
    )
    doublings: float = Field(16.0, gt=0, le=60, description="λ grows to 2 to the power of it")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w)."""
        return sign(scale="constant_filter_mean")

    def input_quantizer(self) -> LarqQuantizer:
        """The soft sign."""
        return soft_sign(self.function)

    def conv2d(self, x: KerasTensor, *shape: Any, name: str, **options: Any) -> KerasTensor:
        """A binary convolution and a PReLU with a slope for each channel."""
        y = super().conv2d(x, *shape, name=name, **options)
        return keras2.layers.PReLU(shared_axes=(1, 2), name=f"{name}_prelu")(y)

    def slope_at(self, progress: TfTensor) -> TfTensor:
        """λ."""
        return 2.0 ** (self.doublings * progress)

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """λ of every input's quantizer."""
        return [Schedule(each.slope, self.slope_at) for each in soft_signs(model)]
