"""HWGQ: activations of two bits for what a ReLU leaves of a Gaussian."""

import math

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.typing import LarqQuantizer


@register
class Hwgq(Method):
    """Half-wave Gaussian quantization with a clipped ReLU's gradient; formulas in `layers.activation_steps`."""

    card = Card(
        name="hwgq",
        title="Half-wave Gaussian Quantization (HWGQ-Net)",
        year=2017,
        paper="Cai, He, Sun, Vasconcelos: Deep Learning with Low Precision by Half-wave Gaussian Quantization, "
        "CVPR 2017",
        category="gradient",
        deploy_class="M",
        bconvs=3,
        summary="activations of the levels 0, 0.538, 1.076 and 1.614, the best four for what a ReLU leaves of a "
        "Gaussian; "
        "the gradient of a ReLU clipped at 1.614; weights α·sign(w). Meant for inputs that a batch norm without scale "
        "and offset has made.",
        formula="weights  α·sign(w), α = ‖w‖₁/n of each filter\n"
        "activations  0.538·(1{a > 0} + 1{a > 0.807} + 1{a > 1.345})\ngradients  1{0 < a ≤ 1.614};  g for weights",
        choices="As in the official code the weights' gradient is passed on as it is, without α and without a "
        "clip. The "
        "zoo's batch norms keep their scale and offset where a network has them.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", bits="1/2", top1=59.6, source="table of FDA (2021)"),
        ),
    )
    pad_value = 0.0
    clip: Clip = math.inf

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w), backward the identity."""
        from mobile_bnn.layers.passed_through import PassedThroughSign

        return PassedThroughSign("constant_filter_mean")

    def input_quantizer(self) -> LarqQuantizer:
        """The half-wave quantizer."""
        from mobile_bnn.layers.activation_steps import HalfWaveGaussian

        return HalfWaveGaussian()
