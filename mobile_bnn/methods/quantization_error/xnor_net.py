"""XNOR-Net: binary weights scaled by the mean magnitude of each filter."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasConstraint, KerasTensor, LarqQuantizer


@register
class XnorNet(Method):
    """Scaled signs of weights, the sign of activations; formulas in `layers.xnor_net`."""

    card = Card(
        name="xnor_net",
        title="XNOR-Net",
        year=2016,
        paper="Rastegari, Ordonez, Redmon, Farhadi: XNOR-Net: ImageNet Classification Using Binary CNNs, ECCV 2016",
        category="quantization error",
        deploy_class="1",
        summary="α·sign(w) with α the mean magnitude of the filter, sign of activations, straight-through gradient; "
        "with input_scale=true times the input's scale map K.",
        formula="weights  α·sign(w), α = ‖w‖₁/n of each filter\n"
        "activations  sign(a), with input_scale ⊙ K, K = (mean over channels of |a|) ∗ box\n"
        "gradients  1{|a| < 1};  for weights g·(α·1{|w| < 1} + 1/n)·(1 − 1/c)\n"
        "after each step w is centred over its c input channels and clipped to ±1",
        choices="K is the paper's; the official code leaves it out, and so does the default. gradient=code is the "
        "code's and equation 12, element by element; gradient=exact is the derivative of α·sign(w); gradient=constant "
        "holds α constant, as Larq does. The code's factor n, which Adam does not see, is left out.",
        published=(
            Published(dataset="ImageNet", network="AlexNet", top1=44.2, source="table of FDA (NeurIPS 2021)"),
            Published(dataset="ImageNet", network="ResNet-18", top1=51.2, source="table of FDA (NeurIPS 2021)"),
        ),
    )
    gradient: Literal["code", "exact", "constant"] = Field("code", description="of the weights: code, exact, constant")
    input_scale: bool = Field(False, description="multiply by the scale map K of the input")

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w) (equation 6)."""
        if self.gradient == "code":
            from mobile_bnn.layers.xnor_net import ElementwiseScaledSign

            return ElementwiseScaledSign()
        return sign(scale="filter_mean" if self.gradient == "exact" else "constant_filter_mean")

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward 1{|a| < 1}."""
        return sign("straight_through_inside")

    def kernel_constraint(self) -> KerasConstraint:
        """Centred over the input channels and clipped to ±1, as in the official code."""
        from mobile_bnn.layers.constraints import CentreAndClip

        return CentreAndClip() if self.gradient == "code" else super().kernel_constraint()

    def conv2d(
        self, x: KerasTensor, filters: int, kernel_size: int | Sequence[int], *, name: str, **options: Any
    ) -> KerasTensor:
        """A binary convolution, with `input_scale` times K."""
        y = super().conv2d(x, filters, kernel_size, name=name, **options)
        if not self.input_scale or not options.get("binary_input", True):
            return y
        from mobile_bnn.layers.xnor_net import InputScale

        size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        geometry = {key: options[key] for key in ("strides", "dilation", "padding") if key in options}
        return keras2.layers.Multiply(name=f"{name}_scaled")([y, InputScale(size, **geometry, name=f"{name}_k")(x)])
