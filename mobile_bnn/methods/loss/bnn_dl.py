"""BNN-DL: a loss on the distribution of what is binarized."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import register
from mobile_bnn.methods.naive.bnn import Bnn
from mobile_bnn.methods.plan import Schedule
from mobile_bnn.typing import KerasModel, KerasTensor, TfTensor


@register
class BnnDl(Bnn):
    """BNN with a distribution loss before every sign; formulas in `layers.distribution_loss`."""

    card = Card(
        name="bnn_dl",
        title="BNN-DL (Distribution Loss)",
        year=2019,
        paper="Ding, Chin, Liu, Marculescu: Regularizing Activation Distribution for Training Binarized Deep Networks, "
        "CVPR 2019",
        category="loss",
        deploy_class="1",
        summary="signs of weights and activations as in BNN; a loss keeps each channel before a sign from lying where "
        "no gradient passes, from spreading too far, and from having one sign.",
        formula="weights  sign(w)\nactivations  sign(a)\ngradients  1{|a| ≤ 1}\n"
        "loss  + λ·mean of (min(2 − μ − σ, 2 + μ − σ))₊² + (σ − 4)₊² + (μ² − σ²)₊ over channels and layers",
        choices="A mean over channels and layers, as in the authors' code, with λ = 2; it ends at last_share of the "
        "epochs, 60 of their 65. Their first binary convolution has float inputs, here all are binary.",
        published=(Published(dataset="ImageNet", network="AlexNet", top1=47.9, source="the authors' README"),),
    )
    strength: float = Field(2.0, ge=0, allow_inf_nan=False, description="λ")
    last_share: float = Field(60 / 65, gt=0, le=1, description="share of the epochs after which the loss is dropped")

    def conv2d(self, x: KerasTensor, *shape: Any, binary_input: bool = True, name: str, **options: Any) -> KerasTensor:
        """A binary convolution of a map with a loss."""
        x = self._watched(x, name) if binary_input else x
        return super().conv2d(x, *shape, binary_input=binary_input, name=name, **options)

    def dense(self, x: KerasTensor, units: int, *, binary_input: bool = True, name: str) -> KerasTensor:
        """A binary dense layer of features with a loss."""
        x = self._watched(x, name) if binary_input else x
        return super().dense(x, units, binary_input=binary_input, name=name)

    def _watched(self, x: KerasTensor, name: str) -> KerasTensor:
        from mobile_bnn.layers.distribution_loss import DistributionLoss

        return DistributionLoss(self.strength, name=f"{name}_distribution")(x)

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """λ, shared among the layers, and 0 in the end."""
        from mobile_bnn.layers.distribution_loss import DistributionLoss

        layers = [layer for layer in model.submodules if isinstance(layer, DistributionLoss)]

        def value(progress: TfTensor) -> TfTensor:
            from mobile_bnn.legacy_keras import tf

            return tf.where(progress < self.last_share, self.strength / len(layers), 0.0)

        return [Schedule(layer.strength, value) for layer in layers]
