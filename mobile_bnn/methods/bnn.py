"""BNN: sign of weights and activations, straight-through gradient."""

from typing import Any

from mobile_bnn.methods.method import Method


def sign() -> Any:
    """`ste_sign`: forward sign(x) with sign(0) = +1, backward 1{|x| ≤ 1}."""
    from mobile_bnn.legacy_keras import larq

    return larq.quantizers.SteSign(clip_value=1.0)


METHOD = Method(
    name="bnn",
    title="BNN (BinaryNet)",
    year=2016,
    paper="Hubara, Courbariaux, Soudry, El-Yaniv, Bengio: Binarized Neural Networks, NeurIPS 2016",
    category="naive",
    deploy_class="1",
    summary="sign of weights and activations; the gradient passes straight through where |x| ≤ 1.",
    weight_quantizer=sign,
    activation_quantizer=sign,
)
