"""BNN: sign of weights and activations, straight-through gradient."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.typing import LarqQuantizer


def ste_sign() -> LarqQuantizer:
    """Larq's `ste_sign`: forward sign(x) with sign(0) = +1, backward 1{|x| ≤ 1}."""
    return keras2.larq.quantizers.SteSign(clip_value=1.0)


@register
class Bnn(Method):
    """The sign of weights and activations."""

    card = Card(
        name="bnn",
        title="BNN (BinaryNet)",
        year=2016,
        paper="Hubara, Courbariaux, Soudry, El-Yaniv, Bengio: Binarized Neural Networks, NeurIPS 2016",
        category="naive",
        deploy_class="1",
        summary="sign of weights and activations; the gradient passes straight through where |x| ≤ 1.",
        formula="weights  sign(w)\nactivations  sign(a)\ngradients  1{|a| ≤ 1}, and w is clipped to ±1 after each step",
        choices="The official code passes the weights' gradient unmasked and clips the weights; clipped to ±1, "
        "the mask "
        "1{|w| ≤ 1} is always 1. Its shift-based batch norm and AdaMax are left out.",
        published=(
            Published(dataset="CIFAR-10", network="VGG-Small", top1=89.9, source="table of FDA (NeurIPS 2021)"),
            Published(dataset="ImageNet", network="ResNet-18", top1=42.2, source="table of FDA (NeurIPS 2021)"),
        ),
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """`ste_sign`."""
        return ste_sign()

    def input_quantizer(self) -> LarqQuantizer:
        """`ste_sign`."""
        return ste_sign()
