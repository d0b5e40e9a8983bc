"""Full precision: nothing is binarized. The baseline of every comparison, and the float twin that can teach."""

import math
from typing import Any

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.typing import KerasTensor


@register
class FullPrecision(Method):
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
    )
    pad_value = 0.0
    clip: Clip = math.inf

    def kernel_quantizer(self) -> None:
        """No quantizer."""

    def input_quantizer(self) -> None:
        """No quantizer; `conv2d` and `dense` apply a ReLU before the layer instead."""

    def conv2d(self, x: KerasTensor, *shape: Any, binary_input: bool = True, name: str, **options: Any) -> KerasTensor:
        """A float convolution of max(x, 0)."""
        x = keras2.layers.ReLU(name=f"{name}_relu")(x) if binary_input else x
        return super().conv2d(x, *shape, binary_input=binary_input, name=name, **options)

    def dense(self, x: KerasTensor, units: int, *, binary_input: bool = True, name: str) -> KerasTensor:
        """A float dense layer of max(x, 0)."""
        x = keras2.layers.ReLU(name=f"{name}_relu")(x) if binary_input else x
        return super().dense(x, units, binary_input=binary_input, name=name)
