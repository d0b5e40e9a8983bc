"""Bi-Real Net: a piecewise polynomial estimator of the sign's gradient, magnitude-aware weights."""

from typing import Any

from mobile_bnn.methods.method import Method
from mobile_bnn.methods.xnor_net import scaled_sign


def _approx_sign() -> Any:
    """`approx_sign`: forward sign(x), backward 2 − 2|x| on |x| < 1 (equation 8 of the paper)."""
    from mobile_bnn.legacy_keras import larq

    return larq.quantizers.ApproxSign()


METHOD = Method(
    name="bi_real",
    title="Bi-Real Net",
    year=2018,
    paper="Liu, Wu, Luo, Yang, Liu, Cheng: Bi-Real Net: Enhancing the Performance of 1-bit CNNs, ECCV 2018",
    category="gradient",
    deploy_class="1",
    summary="sign of activations with the gradient 2 − 2|x| on |x| < 1, weights α·sign(w) with α the mean magnitude of "
    "the filter. Meant for networks with a real-valued shortcut around every binary convolution, such as resnet20.",
    weight_quantizer=scaled_sign,
    activation_quantizer=_approx_sign,
)
