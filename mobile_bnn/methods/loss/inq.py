"""INQ: weights become powers of two group by group, and the rest makes up for it."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.float_inputs import FloatInputs
from mobile_bnn.methods.method import Clip, register
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.typing import KerasModel, KerasOptimizer, LarqQuantizer, TfTensor


@register
class Inq(FloatInputs):
    """Powers of two that are frozen, the largest weights first; formulas in `layers.powers_of_two`."""

    card = Card(
        name="inq",
        title="Incremental Network Quantization (INQ)",
        year=2017,
        paper="Zhou, Yao, Guo, Xu, Chen: Incremental Network Quantization: Towards Lossless CNNs with Low-Precision "
        "Weights, ICLR 2017",
        category="loss",
        deploy_class="Q",
        summary="a float network is trained; then, step by step, the largest weights that are left are rounded to "
        "powers of two and frozen, and the others are trained on.",
        formula="weights  0 or ±2^n, n₂ ≤ n ≤ n₁ = floor(log₂(4·max|w|/3)), n₂ = n₁ + 1 − 2^(b − 2)\n"
        "±β where (α + β)/2 ≤ |w| < 3β/2 for neighbouring levels α < β, else 0\n"
        "activations  max(a, 0)\ngradients  g for weights that are not frozen, none for the others",
        choices="The exponent n₁ is fixed when the first weights are frozen; the authors' code takes it from each "
        "step's weights. float_share of the epochs stand for their trained float network; the learning rate is the "
        "recipe's, there it starts anew with each group.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", bits="5/32", top1=68.98, source="the paper"),
            Published(dataset="ImageNet", network="ResNet-18", bits="3/32", top1=68.08, source="the paper"),
            Published(dataset="ImageNet", network="ResNet-18", bits="2/32", top1=66.02, source="the paper"),
        ),
    )
    clip: Clip = math.inf
    weight_bits: int = Field(5, ge=2, le=6, description="b")
    float_share: float = Field(0.5, ge=0, lt=1, description="share of the epochs before any weight is frozen")
    shares: Annotated[list[float], Field(min_length=1)] = Field(
        default=[0.5, 0.75, 0.875, 1.0],
        description="of the weights that are frozen, rising to 1, each for as many epochs",
    )

    @model_validator(mode="after")
    def _rising(self) -> "Inq":
        if self.shares[-1] != 1.0 or any(one >= other for one, other in pairwise([0.0, *self.shares])):
            raise ValueError("shares: must rise from above 0 to 1, as 0.5, 0.75, 1.0 do")
        return self

    def kernel_quantizer(self) -> LarqQuantizer:
        """0 or ±2^n where weights are frozen."""
        from mobile_bnn.layers.powers_of_two import PowersOfTwo

        return PowersOfTwo(self.weight_bits)

    def share_at(self, progress: TfTensor) -> TfTensor:
        """The share of the weights that are frozen."""
        from mobile_bnn.legacy_keras import tf

        width = (1.0 - self.float_share) / len(self.shares)
        share = tf.zeros([])
        for index, value in enumerate(self.shares):
            share = tf.where(progress >= self.float_share + index * width, value, share)
        return share

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """The frozen share of every kernel."""
        from mobile_bnn.layers.powers_of_two import PowersOfTwo
        from mobile_bnn.layers.scheduled import quantizers_of

        return [Schedule(each.share, self.share_at) for each in quantizers_of(model) if isinstance(each, PowersOfTwo)]

    def optimizer(self, default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
        """The recipe's, which leaves frozen weights as they are."""
        from mobile_bnn.layers.powers_of_two import with_frozen_weights

        return super().optimizer(with_frozen_weights(default, model), model)
