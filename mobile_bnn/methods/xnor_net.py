"""XNOR-Net: binary weights scaled by the mean magnitude of each filter."""

from typing import Any

from mobile_bnn.methods.bnn import sign
from mobile_bnn.methods.method import Method


def scaled_sign() -> Any:
    """`magnitude_aware_sign`: forward α·sign(w) with α = ‖w‖₁/n per output filter, backward 1{|w| ≤ 1}.

    α is held constant in the backward pass. The paper's gradient has the further term
    sign(w)·sign(w)ᵀ/n, which is small for large n.
    """
    from mobile_bnn.legacy_keras import larq

    return larq.quantizers.MagnitudeAwareSign(clip_value=1.0)


METHOD = Method(
    name="xnor_net",
    title="XNOR-Net",
    year=2016,
    paper="Rastegari, Ordonez, Redmon, Farhadi: XNOR-Net: ImageNet Classification Using Binary CNNs, ECCV 2016",
    category="quantization error",
    deploy_class="1",
    summary="α·sign(w) with α the mean magnitude of the filter, sign of activations, straight-through gradient. "
    "Without the input's scale map K, as in the authors' released code.",
    weight_quantizer=scaled_sign,
    activation_quantizer=sign,
)
