"""BCGD: blended coarse gradient descent."""

from typing import Annotated

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.typing import KerasConstraint, LarqQuantizer

# α at the start by the bits of the activations, as the authors' code has it.
_STARTS = {1: 1.2221, 2: 0.6511, 3: 0.3554, 4: 0.1946}


@register
class Bcgd(Method):
    """Weights that are drawn to their quantized values; activations on a learned grid, with a coarse gradient."""

    card = Card(
        name="bcgd",
        title="Blended Coarse Gradient Descent (BCGD)",
        year=2018,
        paper="Yin, Zhang, Lyu, Osher, Qi, Xin: Blended Coarse Gradient Descent for Full Quantization of Deep Neural "
        "Networks, arXiv:1808.05240",
        category="gradient",
        deploy_class="M",
        bconvs=3,
        summary="weights mean|w|·sign(w), whose gradient is applied to a blend of the float and the quantized weights; "
        "activations on a grid of 2^b − 1 steps of a learned size α, with a clipped ReLU's gradient.",
        formula="weights  Q(w) = mean|w|·sign(w) of the layer;  w ← (1 − ρ)·w + ρ·Q(w) − η·∇f(Q(w))\n"
        "activations  α·clip(⌈a/α⌉, 0, 2^b − 1)\n"
        "gradients  1{0 < a ≤ α(2^b − 1)} to a;  2^(b−1) inside and 2^b − 1 above to α, times 0.01",
        choices="The gradient of α is that of the authors' code, also its factor 0.01. Two bits by default; the "
        "paper's "
        "results have four. A start of α for three bits is not in that code: it lies between the others.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", bits="1/4", top1=64.36, source="the paper's abstract"),
        ),
    )
    pad_value = 0.0
    rho: float = Field(1e-5, ge=0, lt=1, description="ρ: how much of the quantized weights is blended in")
    input_bits: Annotated[int, Field(ge=1, le=4)] = Field(2, description="b: bits of the activations")

    def kernel_quantizer(self) -> LarqQuantizer:
        """mean|w|·sign(w), backward the identity."""
        from mobile_bnn.layers.passed_through import PassedThroughSign

        return PassedThroughSign("constant_layer_mean")

    def kernel_constraint(self) -> KerasConstraint:
        """The blend."""
        from mobile_bnn.layers.constraints import BlendWithQuantized

        return BlendWithQuantized(self.rho)

    def input_quantizer(self) -> LarqQuantizer:
        """α·clip(⌈a/α⌉, 0, 2^b − 1)."""
        from mobile_bnn.layers.ceiled_steps import CeiledSteps

        return CeiledSteps(self.input_bits, _STARTS[self.input_bits])
