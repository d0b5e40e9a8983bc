"""SYQ: symmetric weights with a learned scale for each place in a filter, activations of 8 bits."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.layer_fitting import quantized_layers
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Phase
from mobile_bnn.typing import KerasModel, KerasTensor, LarqQuantizer

_FLOAT = "float kernels"


@register
class Syq(Method):
    """Signs with a scale for each subgroup of weights; formulas in `layers.subgroup_scales`."""

    card = Card(
        name="syq",
        title="SYQ: Learning Symmetric Quantization",
        year=2018,
        paper="Faraone, Fraser, Blott, Leong: SYQ: Learning Symmetric Quantization for Efficient Deep Neural Networks, "
        "CVPR 2018",
        category="quantization error",
        deploy_class="Q",
        summary="weights α·sign(w) with a learned α for each place in a filter, which all channels share; activations "
        "rounded to 8 bits of [0, 1]; from a trained float model. With groups=layer and few input_bits a layer is "
        "as many binary convolutions as its activations have steps.",
        formula="weights  α_p·sign(w), α_p of each pixel p of a layer's filters, or row, learned from mean|w| on\n"
        "activations  round(clip(a, 0, 1)·(2^k − 1))/(2^k − 1), k = 8\n"
        "gradients  g for weights, Σ g·sign(w) over its pixel for α_p;  1{0 ≤ a ≤ 1}",
        choices="All weights are scaled; the authors' code leaves those with |w| ≤ 0.05·max|w| at ±1. Dense layers "
        "have one α, as there. Halves round to the even number, there upwards. Scales of pixels would be k² binary "
        "convolutions of 1×1 for each bit; the file keeps such layers float, so it is not written.",
        published=(
            Published(dataset="ImageNet", network="AlexNet", bits="1/8", top1=56.6, source="recalled, not verified"),
            Published(dataset="ImageNet", network="ResNet-18", bits="1/8", top1=62.9, source="recalled, not verified"),
        ),
    )
    pad_value = 0.0
    clip: Clip = math.inf
    groups: Literal["pixel", "row", "layer"] = Field("pixel", description="what has a scale: pixel, row or layer")
    input_bits: Annotated[int, Field(ge=1, le=8)] = Field(8, description="k of the activations")
    float_kernels: float = Field(
        0.5, ge=0, lt=1, description="share of the epochs, from the first, in which only inputs are quantized"
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """α_p·sign(w)."""
        from mobile_bnn.layers.subgroup_scales import SubgroupSign

        return SubgroupSign(self.groups, binary=self._phase.name != _FLOAT)

    def input_quantizer(self) -> LarqQuantizer:
        """DoReFa's."""
        return keras2.larq.quantizers.DoReFa(k_bit=self.input_bits, mode="activations")

    def phases(self) -> Sequence[Phase]:
        """Float weights, then scaled signs, whose scales begin as the mean magnitudes."""
        share = self.float_kernels
        signs = Phase("scaled signs", 1 - share, reset_optimizer=True, begin=_begin_scales)
        return (Phase(_FLOAT, share), signs) if share else (signs,)


def _begin_scales(model: KerasModel, _: KerasTensor) -> None:
    for layer in quantized_layers(model):
        layer.kernel_quantizer.begin_at(layer.kernel.latent_variable)
