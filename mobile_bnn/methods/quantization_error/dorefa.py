"""DoReFa-Net: activations on a grid of [0, 1], weights of one or more bits."""

import math
from typing import Annotated

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.typing import LarqQuantizer

Bits = Annotated[int, Field(ge=1, le=4)]


@register
class DoReFa(Method):
    """Rounded activations; weights that are the layer's mean magnitude times a sign, or rounded through a tanh."""

    card = Card(
        name="dorefa",
        title="DoReFa-Net",
        year=2016,
        paper="Zhou, Wu, Ni, Zhou, Wen, Zou: DoReFa-Net: Training Low Bitwidth CNNs with Low Bitwidth Gradients, "
        "arXiv:1606.06160",
        category="quantization error",
        deploy_class="1r",
        summary="activations rounded to k bits of [0, 1], with one bit {0, 1}; weights E·sign(w) with E the mean "
        "magnitude of the layer, of more bits rounded through a tanh; straight-through gradient on [0, 1].",
        formula="weights  E·sign(w), E = mean|w| of the layer, a constant; for k > 1 "
        "2·Q(tanh(w)/(2·max|tanh(w)|) + ½) − 1\n"
        "activations  Q(clip(a, 0, 1)), Q(x) = round(x·(2^k − 1))/(2^k − 1)\n"
        "gradients  1{0 ≤ a ≤ 1};  g for weights of one bit",
        choices="As in the official code ½ is rounded to 0, and weights are not clipped. Its gradients of few bits are "
        "left out, as in that code's default of 32.",
        published=(
            Published(dataset="ImageNet", network="AlexNet", top1=43.6, source="table of FDA (NeurIPS 2021)"),
            Published(dataset="ImageNet", network="ResNet-18", bits="1/4", top1=59.2, source="tensorpack's README"),
        ),
    )
    pad_value = 0.0
    clip: Clip = math.inf
    weight_bits: Bits = Field(1, description="k of the weights")
    input_bits: Bits = Field(1, description="k of the activations")

    def kernel_quantizer(self) -> LarqQuantizer:
        """Equation 7 for one bit, equation 9 for more."""
        if self.weight_bits == 1:
            from mobile_bnn.layers.passed_through import PassedThroughSign

            return PassedThroughSign("constant_layer_mean")
        from mobile_bnn import legacy_keras as keras2

        return keras2.larq.quantizers.DoReFa(k_bit=self.weight_bits, mode="weights")

    def input_quantizer(self) -> LarqQuantizer:
        """Q(clip(a, 0, 1)), backward 1{0 ≤ a ≤ 1} (equation 11)."""
        from mobile_bnn import legacy_keras as keras2

        return keras2.larq.quantizers.DoReFa(k_bit=self.input_bits, mode="activations")
