"""A&B BNN: no multiplication is left at inference but by powers of two."""

from typing import Any, Literal

from pydantic import Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.typing import KerasTensor, LarqQuantizer


@register
class AbBnn(Method):
    """Standardized weights, a mask before the sign, a quantized RPReLU; formulas in `layers.add_and_bit`."""

    card = Card(
        name="ab_bnn",
        title="A&B BNN",
        year=2024,
        paper="Ma, Qiao, Liu, Meng, Ning, Liu, Hu: A&B BNN: Add&Bit-Operation-Only Hardware-Friendly Binary Neural "
        "Network, CVPR 2024",
        category="beyond the survey",
        deploy_class="1+",
        summary="signs of standardized weights and of shifted activations; a branch is multiplied by a power of two "
        "before its shortcut is added; after the sum a PReLU, whose slopes are powers of two, between two learned "
        "shifts.",
        formula="weights  g·mean|v|·sign(v), v = (w − mean)/((std + 1e-5)·√n) of each filter, g learned\n"
        "activations  sign(β·a + b), b learned\nshortcut  f(α·y + x + b₁) + b₂, f(x) = x above 0, 2^round(l)·x below\n"
        "gradients  6σ(3z)(1 − σ(3z)), z = β·a + b;  1{|v| ≤ 1};  round straight through",
        choices="As in the authors' code. β, there 1/√(expected variance) of networks without batch norms, is 1 here: "
        "the batch norms of most of the zoo's networks keep that variance at 1, and their multiplications remain; "
        "ab_resnet18 and ab_reactnet_a have none, and scale maps by β themselves.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", top1=61.4, source="the authors' README"),
            Published(dataset="ImageNet", network="ReActNet-A", top1=66.9, source="the authors' README"),
        ),
    )
    needs = frozenset({"shortcut"})
    mask: float = Field(1.0, gt=0, allow_inf_nan=False, description="β")
    branch: int = Field(-2, ge=-8, le=8, description="α is 2 to the power of it")

    form: Literal["reactnet", "bireal"] = Field(
        "reactnet", description="reactnet: signs with a learned b and an RPReLU after each sum; bireal: neither"
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """mean|v|·sign(v)."""
        from mobile_bnn.layers.add_and_bit import StandardizedMeanSign

        return StandardizedMeanSign()

    def input_quantizer(self) -> LarqQuantizer:
        """sign(β·a + b)."""
        from mobile_bnn.layers.add_and_bit import MaskedSign

        return MaskedSign(self.mask, shifted=self.form == "reactnet")

    def conv2d(self, x: KerasTensor, *shape: Any, name: str, **options: Any) -> KerasTensor:
        """A binary convolution times g."""
        from mobile_bnn.layers.channel_scale import ChannelScale

        return ChannelScale(name=f"{name}_gain")(super().conv2d(x, *shape, name=name, **options))

    def shortcut(self, x: KerasTensor, y: KerasTensor, *, name: str) -> KerasTensor:
        """The quantized RPReLU of α·y + x; in Bi-Real Net's form the sum itself."""
        from mobile_bnn.layers.add_and_bit import PowerOfTwoPReLU

        total = super().shortcut(x, keras2.layers.Rescaling(2.0**self.branch, name=f"{name}_branch")(y), name=name)
        return total if self.form == "bireal" else PowerOfTwoPReLU(name=f"{name}_rprelu")(total)
