"""DoReFa-Net at one bit: activations in {0, 1}, weights in {−1, +1}."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Method, register
from mobile_bnn.typing import LarqQuantizer


@register
class DoReFa(Method):
    """Rounded activations, and weights rounded through a tanh."""

    card = Card(
        name="dorefa",
        title="DoReFa-Net (1-bit weights, 1-bit activations)",
        year=2016,
        paper="Zhou, Wu, Ni, Zhou, Wen, Zou: DoReFa-Net: Training Low Bitwidth CNNs with Low Bitwidth Gradients, "
        "arXiv:1606.06160",
        category="quantization error",
        deploy_class="1r",
        summary="activations rounded to {0, 1}, weights to {−1, +1} through a tanh; straight-through gradient on "
        "[0, 1].",
    )
    pad_value = 0.0

    def kernel_quantizer(self) -> LarqQuantizer:
        """2·round(tanh(w)/(2·max|tanh(w)|) + ½) − 1, backward through the tanh, the rounding passed straight through.

        The paper's one-bit weights carry the mean magnitude of the layer as well; the batch normalization after every
        layer of our zoo takes that scale over.
        """
        return keras2.larq.quantizers.DoReFa(k_bit=1, mode="weights")

    def input_quantizer(self) -> LarqQuantizer:
        """round(clip(x, 0, 1)), backward 1{0 ≤ x ≤ 1}."""
        return keras2.larq.quantizers.DoReFa(k_bit=1, mode="activations")
