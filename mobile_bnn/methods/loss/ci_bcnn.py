"""CI-BCNN: channels of a binary convolution correct one another."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import register
from mobile_bnn.methods.naive.bnn import Bnn
from mobile_bnn.methods.plan import Phase
from mobile_bnn.typing import KerasModel, KerasTensor


@register
class CiBcnn(Bnn):
    """BNN with interactions between channels; formulas in `layers.channel_interactions`."""

    card = Card(
        name="ci_bcnn",
        title="Channel-wise Interaction (CI-BCNN)",
        year=2019,
        paper="Wang, Lu, Tao, Zhou, Tian: Learning Channel-wise Interactions for Binary Convolutional Neural Networks, "
        "CVPR 2019",
        category="loss",
        deploy_class="1+",
        summary="BNN's signs; where a channel counts far from 0 it moves the count of another one by a constant, "
        "before that is binarized.",
        formula="weights  sign(w)\nactivations  sign(a)\n"
        "output  s_j + e_j·f(s_i), f(s) = 100·(1{s ≥ 200} − 1{s ≤ −200}), e_j ∈ {−1, 0, 1}, i the source of j\n"
        "gradients  1{|a| ≤ 1};  none through f",
        choices="A simplification: the paper finds the edges by reinforcement learning; here each channel's source is "
        "the one that its counts are correlated with most, found once, on a batch of images, at base_share of the "
        "epochs. f is odd for negative edges too; in the authors' code it is −100·(1{s ≥ 200} + 1{s ≤ −200}) there, "
        "probably a slip. Edges see the counts as they were, in the code those that earlier edges changed. Their "
        "ResNet-20 is five times as wide as the usual one.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", top1=56.7, source="recalled, not verified"),
            Published(dataset="CIFAR-10", network="ResNet-20 5x wide", top1=91.1, source="recalled, not verified"),
        ),
    )
    threshold: float = Field(200.0, gt=0, allow_inf_nan=False, description="of the counts, from which on f acts")
    amount: float = Field(100.0, gt=0, allow_inf_nan=False, description="what f adds to a count, or takes away")
    base_share: float = Field(0.5, gt=0, lt=1, description="share of the epochs before there are edges")
    edges: int = Field(100, ge=0, description="at most, of a layer")
    correlation: float = Field(0.3, ge=0, le=1, description="at least, between the two channels of an edge")

    def conv2d(self, x: KerasTensor, *shape: Any, binary_input: bool = True, name: str, **options: Any) -> KerasTensor:
        """A binary convolution with interactions; one of a float input has none."""
        y = super().conv2d(x, *shape, binary_input=binary_input, name=name, **options)
        if not binary_input:
            return y
        from mobile_bnn.layers.channel_interactions import ChannelInteractions

        return ChannelInteractions(self.threshold, self.amount, name=f"{name}_interactions")(y)

    def phases(self) -> Sequence[Phase]:
        """Without edges, then with those found at its end."""
        return (
            Phase("without interactions", self.base_share),
            Phase("interactions", 1 - self.base_share, begin=self._connect),
        )

    def _connect(self, model: KerasModel, images: KerasTensor) -> None:
        from mobile_bnn.layers.channel_interactions import connect

        connect(model, images, self.edges, self.correlation)
