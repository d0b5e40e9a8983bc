"""Full precision: nothing is binarized. The baseline of every comparison, and the float twin that can teach."""

import math

from mobile_bnn.methods.card import Card
from mobile_bnn.methods.float_inputs import FloatInputs
from mobile_bnn.methods.method import Clip, register


@register
class FullPrecision(FloatInputs):
    """Float weights and activations: the same network without its quantizers."""

    card = Card(
        name="full_precision",
        title="Full precision (nothing binary)",
        year=2016,
        paper="the baseline of Hubara et al.: Binarized Neural Networks, NeurIPS 2016, and of every paper since",
        category="baseline",
        deploy_class="float",
        summary="float weights and activations; a ReLU stands where a binary layer would binarize its input, so that "
        "the network stays nonlinear.",
        formula="weights  w\nactivations  max(a, 0)",
    )
    clip: Clip = math.inf

    def kernel_quantizer(self) -> None:
        """No quantizer."""
