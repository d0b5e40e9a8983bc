"""DSQ: a soft quantizer whose sharpness is learned."""

import math

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.typing import LarqQuantizer


@register
class Dsq(Method):
    """Differentiable soft quantization at one bit; formulas in `layers.soft_steps`."""

    card = Card(
        name="dsq",
        title="Differentiable Soft Quantization (DSQ)",
        year=2019,
        paper="Gong, Liu, Jiang, Li, Hu, Lin, Yu, Yan: Differentiable Soft Quantization: Bridging Full-Precision and "
        "Low-Bit Neural Networks, ICCV 2019",
        category="gradient",
        deploy_class="1r",
        bconvs=2,
        summary="weights and activations take the two ends l and u of a learned range; the gradient is that of a tanh "
        "between them, whose sharpness is learned, too.",
        formula="values  u where x ≥ (l + u)/2, else l\ngradients  (u − l)/2·φ'(x), φ(x) = tanh(k(x − m))/tanh(kΔ/2), "
        "m = (l + u)/2, Δ = u − l, k = ln(2/α − 1)/Δ\nl, u and α by backpropagation, α = 0.2 at the start",
        choices="No official code; α = 0.2 and the range ±1 at the start are ours. symmetric=true holds l = −u = −1: "
        "then a layer is one plain binary convolution.",
        published=(
            Published(dataset="CIFAR-10", network="VGG-Small", top1=91.72, source="table of FDA (NeurIPS 2021)"),
            Published(dataset="CIFAR-10", network="ResNet-20", top1=84.11, source="table of FDA (NeurIPS 2021)"),
        ),
    )
    clip: Clip = math.inf
    alpha: float = Field(0.2, gt=0, lt=0.5, description="α at the start: the distance to a hard step")
    symmetric: bool = Field(False, description="hold the ends at −1 and 1")

    def kernel_quantizer(self) -> LarqQuantizer:
        """l or u."""
        return self._quantizer()

    def input_quantizer(self) -> LarqQuantizer:
        """l or u."""
        return self._quantizer()

    def _quantizer(self) -> LarqQuantizer:
        from mobile_bnn.layers.soft_steps import SoftQuantization

        return SoftQuantization(alpha=self.alpha, learn_ends=not self.symmetric)
