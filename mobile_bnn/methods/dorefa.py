"""DoReFa-Net at one bit: activations in {0, 1}, weights in {−1, +1}."""

from typing import Any

from mobile_bnn.methods.method import Method


def _weights() -> Any:
    """2·round(tanh(w)/(2·max|tanh(w)|) + ½) − 1, backward through the tanh, the rounding passed straight through.

    The paper's one-bit weights carry the mean magnitude of the layer as well; the batch normalization behind every
    layer of our zoo takes that scale over.
    """
    from mobile_bnn.legacy_keras import larq

    return larq.quantizers.DoReFa(k_bit=1, mode="weights")


def _activations() -> Any:
    """round(clip(x, 0, 1)), backward 1{0 ≤ x ≤ 1}."""
    from mobile_bnn.legacy_keras import larq

    return larq.quantizers.DoReFa(k_bit=1, mode="activations")


METHOD = Method(
    name="dorefa",
    title="DoReFa-Net (1-bit weights, 1-bit activations)",
    year=2016,
    paper="Zhou, Wu, Ni, Zhou, Wen, Zou: DoReFa-Net: Training Low Bitwidth CNNs with Low Bitwidth Gradients, "
    "arXiv:1606.06160",
    category="quantization error",
    deploy_class="1r",
    summary="activations rounded to {0, 1}, weights to {−1, +1} through a tanh; straight-through gradient on [0, 1].",
    weight_quantizer=_weights,
    activation_quantizer=_activations,
    pad_value=0.0,
)
