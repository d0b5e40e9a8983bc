"""ReActNet: learned shifts of what is binarized and of what an activation sees."""

from typing import Any

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasTensor, LarqQuantizer


@register
class ReActNet(Method):
    """RSign and RPReLU; formulas in `layers.react_net`."""

    card = Card(
        name="react_net",
        title="ReActNet",
        year=2020,
        paper="Liu, Shen, Savvides, Cheng: ReActNet: Towards Precise Binary Neural Network with Generalized Activation "
        "Functions, ECCV 2020",
        category="beyond the survey",
        deploy_class="1+",
        summary="activations sign(a + b) with a learned b of each channel and Bi-Real Net's gradient; Bi-Real Net's "
        "weights; after a shortcut is added a PReLU between two learned shifts. Meant for a teacher's softmax as only "
        "target: [teacher] weight = 1.",
        formula="weights  α·sign(w), α = ‖w‖₁/n of each filter, a constant\nactivations  sign(a + b)\n"
        "after the sum  f(x + b₁) + b₂, f(x) = x above 0 and β·x below\ngradients  (2 − 2|a + b|)₊;  α·1{|w| ≤ 1}",
        choices="As in the authors' code b is added. Its two steps are float_kernels=0.5; its loss a recipe's "
        "[teacher] "
        "with weight 1, temperature 1.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", top1=65.9, source="the authors' README"),
            Published(dataset="ImageNet", network="ReActNet-A", top1=69.5, source="the authors' README"),
        ),
    )
    needs = frozenset({"shortcut"})
    float_kernels: float = Field(
        0.5, ge=0, lt=1, description="share of the epochs, from the first, in which only inputs are binarized"
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """α·sign(w)."""
        return sign(scale="constant_filter_mean")

    def input_quantizer(self) -> LarqQuantizer:
        """RSign."""
        from mobile_bnn.layers.react_net import ShiftedSign

        return ShiftedSign()

    def shortcut(self, x: KerasTensor, y: KerasTensor, *, name: str, **options: Any) -> KerasTensor:
        """RPReLU of the sum."""
        from mobile_bnn.layers.react_net import ShiftedPReLU

        return ShiftedPReLU(name=f"{name}_rprelu")(super().shortcut(x, y, name=name, **options))
