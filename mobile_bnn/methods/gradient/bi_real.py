"""Bi-Real Net: a piecewise polynomial estimator of the sign's gradient, magnitude-aware weights."""

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import LarqQuantizer


@register
class BiReal(Method):
    """Scaled signs of weights, the sign of activations with a gradient nearer to the sign's."""

    card = Card(
        name="bi_real",
        title="Bi-Real Net",
        year=2018,
        paper="Liu, Wu, Luo, Yang, Liu, Cheng: Bi-Real Net: Enhancing the Performance of 1-bit CNNs, ECCV 2018",
        category="gradient",
        deploy_class="1+",
        summary="sign of activations with the gradient 2 − 2|x| on |x| < 1, weights α·sign(w) with α the mean "
        "magnitude of the filter. Meant for networks with a real-valued shortcut around every binary convolution, such "
        "as resnet20.",
        formula="weights  α·sign(w), α = ‖w‖₁/n of each filter, a constant\nactivations  sign(a)\n"
        "gradients  (2 − 2|a|)₊;  α·1{|w| ≤ 1}",
        choices="As in the authors' PyTorch code: from scratch, α held constant. The three steps of pretraining of the "
        "Caffe code are left out; its threshold is strict, 0 becomes −1 there.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", top1=56.4, source="the authors' README"),
            Published(dataset="ImageNet", network="ResNet-34", top1=62.2, source="the authors' README"),
        ),
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w), backward α·1{|w| ≤ 1}."""
        return sign(scale="constant_filter_mean")

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward 2 − 2|a| on |a| < 1 (equation 8 of the paper)."""
        return sign("piecewise_polynomial")
