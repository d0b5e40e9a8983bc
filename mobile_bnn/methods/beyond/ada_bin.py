"""AdaBin: two values of weights and of activations that need not lie around 0."""

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Clip, Method, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.typing import KerasModel, KerasTensor, LarqQuantizer, TfTensor


@register
class AdaBin(Method):
    """Adaptive binary sets, and a Maxout activation; formulas in `layers.ada_bin`."""

    card = Card(
        name="ada_bin",
        title="AdaBin",
        year=2022,
        paper="Tu, Chen, Ren, Wang: AdaBin: Improving Binary Neural Networks with Adaptive Binary Sets, ECCV 2022",
        category="beyond the survey",
        deploy_class="1r",
        bconvs=2,
        summary="weights {β − α, β + α} with the mean and the standard deviation of the filter; activations of two "
        "learned values; a Maxout with two learned slopes of each channel after the convolution.",
        formula="weights  α·sign((w − β)/α) + β, β the mean and α the standard deviation of each filter\n"
        "activations  α·sign((a − β)/α) + β, α and β learned for each layer\n"
        "after the convolution  c₁·max(y, 0) + c₂·min(y, 0), c₁ = 1 and c₂ = 0.25 at the start\n"
        "gradients  k·t·(1 − tanh²(t·x)) for weights, (2 − 2|x|)₊ for activations",
        choices="Activations as in the paper; the authors' code has α·(sign + β), which is values=code. The Maxout "
        "follows each convolution; in the authors' residual networks each sum, which is maxout=sum. Padding is the "
        "value 1, or the network's; in that code it is 0.",
        published=(
            Published(dataset="CIFAR-10", network="ResNet-20", top1=88.1, source="the authors' README"),
            Published(dataset="ImageNet", network="ResNet-18", top1=63.1, source="the authors' README"),
        ),
    )
    pad_value = 1.0
    clip: Clip = math.inf
    t_min: float = Field(1e-3, gt=0, allow_inf_nan=False, description="t of the weights' estimator at the start")
    t_max: float = Field(10.0, gt=0, allow_inf_nan=False, description="t of the weights' estimator at the end")

    values: Literal["paper", "code"] = Field(
        "paper", description="of activations: paper is α·sign + β, code is α·(sign + β), both with a threshold of β"
    )
    maxout: Literal["convolution", "sum"] = Field(
        "convolution", description="what a Maxout follows: every convolution, or the sum of every shortcut"
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """The filter's two values."""
        from mobile_bnn.layers.ada_bin import CentredSets

        return CentredSets(self.t_min)

    def input_quantizer(self) -> LarqQuantizer:
        """The layer's two values."""
        from mobile_bnn.layers.ada_bin import LearnedSet

        return LearnedSet(scaled=self.values == "code")

    def conv2d(self, x: KerasTensor, *shape: Any, name: str, **options: Any) -> KerasTensor:
        """A binary convolution and, unless that follows the sum, a Maxout."""
        y = super().conv2d(x, *shape, name=name, **options)
        return self._maximum(y, name) if self.maxout == "convolution" else y

    def shortcut(self, x: KerasTensor, y: KerasTensor, *, name: str) -> KerasTensor:
        """A sum, and with maxout=sum a Maxout of it."""
        total = super().shortcut(x, y, name=name)
        return self._maximum(total, name) if self.maxout == "sum" else total

    def _maximum(self, x: KerasTensor, name: str) -> KerasTensor:
        from mobile_bnn.layers.ada_bin import Maxout

        return Maxout(name=f"{name}_maxout")(x)

    def t(self, progress: TfTensor) -> TfTensor:
        """t of the weights' estimator."""
        return self.t_min * (self.t_max / self.t_min) ** progress

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """t of every kernel."""
        from mobile_bnn.layers.ada_bin import CentredSets
        from mobile_bnn.layers.scheduled import quantizers_of

        return [Schedule(each.t, self.t) for each in quantizers_of(model) if isinstance(each, CentredSets)]
