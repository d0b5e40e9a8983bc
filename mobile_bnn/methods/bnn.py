"""BNN: sign of weights and activations, straight-through gradient."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Method, register
from mobile_bnn.typing import LarqQuantizer


def sign() -> LarqQuantizer:
    """`ste_sign`: forward sign(x) with sign(0) = +1, backward 1{|x| ≤ 1}."""
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
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """`ste_sign`."""
        return sign()

    def input_quantizer(self) -> LarqQuantizer:
        """`ste_sign`."""
        return sign()
