"""HORQ: the sign of an input, and the sign of what it leaves over."""

from functools import partial
from typing import Annotated

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import LayerMaker, Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import LarqQuantizer


@register
class Horq(Method):
    """Residual quantization of activations; formulas in `layers.residual_signs`."""

    card = Card(
        name="horq",
        title="High-Order Residual Quantization (HORQ)",
        year=2017,
        paper="Li, Ni, Zhang, Yang, Gao: Performance Guaranteed Network Acceleration via High-Order Residual "
        "Quantization, ICCV 2017",
        category="quantization error",
        deploy_class="I",
        summary="activations are β₁·sign(a) + β₂·sign(a − β₁·sign(a)) and so on, each β the mean magnitude of what is "
        "left; weights α·sign(w). In the file a binary convolution for each order, a layer of its own, times its β.",
        formula="weights  α·sign(w), α = ‖w‖₁/n of each filter\n"
        "activations  Σ β_i·H_i, H_i = sign(R_{i−1}), β_i = mean|R_{i−1}|, R_i = R_{i−1} − β_i·H_i, R₀ = a\n"
        "gradients  1{|R_{i−1}| ≤ 1} of H_i, β constant; the derivative of α·sign(w)",
        choices="β of each sample; the paper has one for each patch that a filter sees, under which a map is no longer "
        "one tensor. Padding is +1 in every H_i. The paper's text was not seen: formulas as notes and reviews give "
        "them.",
        published=(Published(dataset="MNIST", network="LeNet-like", top1=98.75, source="notes on the paper"),),
    )
    order: Annotated[int, Field(ge=1, le=4)] = Field(2, description="how many signs an activation becomes")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w)."""
        return sign(scale="filter_mean")

    def input_quantizer(self) -> None:
        """No quantizer: the layer takes the signs of its input itself."""

    def layer_maker(self, name: str, *, binary_input: bool) -> LayerMaker:
        """A layer of residual signs."""
        if not (binary_input and self._phase.binarize_inputs):
            return super().layer_maker(name, binary_input=binary_input)
        from mobile_bnn.layers import residual_signs

        return partial(getattr(residual_signs, f"Residual{name}"), order=self.order)
