"""XNOR-Net: binary weights scaled by the mean magnitude of each filter."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.bnn import sign
from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Method, register
from mobile_bnn.typing import LarqQuantizer


def scaled_sign() -> LarqQuantizer:
    """`magnitude_aware_sign`: forward α·sign(w) with α = ‖w‖₁/n per output filter, backward 1{|w| ≤ 1}.

    α is held constant in the backward pass. The paper's gradient has the further term
    sign(w)·sign(w)ᵀ/n, which is small for large n.
    """
    return keras2.larq.quantizers.MagnitudeAwareSign(clip_value=1.0)


@register
class XnorNet(Method):
    """Scaled signs of weights, the sign of activations."""

    card = Card(
        name="xnor_net",
        title="XNOR-Net",
        year=2016,
        paper="Rastegari, Ordonez, Redmon, Farhadi: XNOR-Net: ImageNet Classification Using Binary CNNs, ECCV 2016",
        category="quantization error",
        deploy_class="1",
        summary="α·sign(w) with α the mean magnitude of the filter, sign of activations, straight-through gradient. "
        "Without the input's scale map K, as in the authors' released code.",
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """`magnitude_aware_sign` (equation 6 of the paper)."""
        return scaled_sign()

    def input_quantizer(self) -> LarqQuantizer:
        """`ste_sign`."""
        return sign()
