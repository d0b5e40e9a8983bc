"""Group-Net: several binary bases in place of one layer."""

from typing import Annotated, Any, Literal

from pydantic import Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.card import Card, Published
from mobile_bnn.methods.method import Method, register
from mobile_bnn.methods.quantizers import sign
from mobile_bnn.typing import KerasTensor, LarqQuantizer


@register
class GroupNet(Method):
    """K bases of one convolution each; formulas in `layers.group_bases`."""

    card = Card(
        name="group_net",
        title="Group-Net (Structured Binary Neural Networks)",
        year=2019,
        paper="Zhuang, Shen, Tan, Liu, Reid: Structured Binary Neural Networks for Accurate Image Classification and "
        "Semantic Segmentation, CVPR 2019",
        category="beyond the survey",
        deploy_class="M",
        bconvs=1,
        summary="a layer is K bases with binary kernels of their own, each followed by a ReLU and a batch norm, and "
        "the mean of them. In the file their kernels lie side by side in one binary convolution of K times the "
        "filters.",
        formula="weights  mean|w|·sign(w) of each base\nactivations  sign(a)\n"
        "output  mean over k of BN_k(max(y_k, 0)); with bases=layers Σ λ_k·y_k, λ learned\n"
        "gradients  (2 − 2|a|)₊;  g for weights",
        choices="bases=groups is the paper's block decomposition with blocks of one convolution: where a base spans "
        "several, the network's structure would be another, and so the soft gates between groups, which need each "
        "base's own output, are left out; the network groupnet_resnet18 has both, with bases=network and count=1. "
        "bases=layers is its layer decomposition; λ starts at 1/K, at random in the "
        "authors' code. Padding is +1 as there.",
        published=(
            Published(dataset="ImageNet", network="ResNet-18", top1=64.8, source="recalled, not verified"),
            Published(dataset="ImageNet", network="ResNet-18", top1=63.9, source="QTool's README"),
        ),
    )
    count: Annotated[int, Field(ge=1, le=16)] = Field(5, description="K")
    bases: Literal["groups", "layers", "network"] = Field(
        "groups",
        description="groups: each with a ReLU and a batch norm; layers: a learned sum; network: a network of bases has "
        "layers of one base each",
    )

    def kernel_quantizer(self) -> LarqQuantizer:
        """mean|w|·sign(w) of each base."""
        from mobile_bnn.layers.group_bases import BasesSign

        return BasesSign(1 if self.bases == "network" else self.count)

    def input_quantizer(self) -> LarqQuantizer:
        """sign(a), backward (2 − 2|a|)₊."""
        return sign("piecewise_polynomial")

    def conv2d(self, x: KerasTensor, filters: int, *shape: Any, name: str, **options: Any) -> KerasTensor:
        """K binary convolutions, joined."""
        if self.bases == "network":
            return super().conv2d(x, filters, *shape, name=name, **options)
        return self._joined(super().conv2d(x, self.count * filters, *shape, name=name, **options), name)

    def dense(self, x: KerasTensor, units: int, *, name: str, **options: Any) -> KerasTensor:
        """K binary dense layers, joined."""
        if self.bases == "network":
            return super().dense(x, units, name=name, **options)
        return self._joined(super().dense(x, self.count * units, name=name, **options), name)

    def _joined(self, y: KerasTensor, name: str) -> KerasTensor:
        from mobile_bnn.layers.group_bases import SumOfBases

        if self.bases == "groups":
            y = keras2.layers.ReLU(name=f"{name}_base_relu")(y)
            y = keras2.layers.BatchNormalization(momentum=0.9, name=f"{name}_base_norm")(y)
        return SumOfBases(self.count, self.bases == "layers", name=f"{name}_bases")(y)
