"""Bi-Real Net: a piecewise polynomial estimator of the sign's gradient, magnitude-aware weights."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.xnor_net import scaled_sign
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
        deploy_class="1",
        summary="sign of activations with the gradient 2 − 2|x| on |x| < 1, weights α·sign(w) with α the mean "
        "magnitude of the filter. Meant for networks with a real-valued shortcut around every binary convolution, such "
        "as resnet20.",
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """`magnitude_aware_sign`."""
        return scaled_sign()

    def input_quantizer(self) -> LarqQuantizer:
        """`approx_sign`: forward sign(x), backward 2 − 2|x| on |x| < 1 (equation 8 of the paper)."""
        return keras2.larq.quantizers.ApproxSign()
