"""ResNet-18 and ResNet-34 as the survey's methods are compared on: a float shortcut around every binary convolution.

They pad as PyTorch does; images below 64 pixels get a 3x3 convolution as stem, as the survey's CIFAR-10 tables have it.
AdaBin's has its own order of layers.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks import symmetric_layers
from mobile_bnn.zoo.blocks.shortcut_stages import binary_stages
from mobile_bnn.zoo.network_options import PaddedResidual

_FILTERS = (64, 128, 256, 512)


class ResNetOptions(PaddedResidual):
    """Of ResNets for ImageNet and for small images."""

    stem: Literal["auto", "large", "small"] = Field(
        "auto",
        description="large is a 7x7 convolution with a stride of 2 and a pooling, small a 3x3 one with neither; auto "
        "is small for images below 64 pixels",
    )

    def begin(self, image: KerasTensor, activation: KerasLayer | None = None) -> tuple[KerasTensor, int]:
        """The stem's output of 64 channels, and its stride."""
        if self.stem == "small" or (self.stem == "auto" and symmetric_layers.is_small(image)):
            return symmetric_layers.small_stem(image, 64, activation), 1
        return symmetric_layers.stem(image, activation), 4


def _stages(
    image: KerasTensor,
    method: Method,
    layers: int | Sequence[int],
    network: ResNetOptions,
    activation: KerasLayer | None = None,
) -> Features:
    x, stride = network.begin(image, activation)
    branch = symmetric_layers.binary_branch
    return binary_stages(x, method, _FILTERS, layers, stride, branch, network, epsilon=1e-5)


def _register(name: str, layers: Sequence[int], source: str, *published: Published) -> None:
    counts = ", ".join(map(str, layers))

    @register(
        name,
        summary=f"a real 7x7 convolution, or 3x3 for small images, {sum(layers)} binary 3x3 ones ({counts} of 64, 128, "
        "256, 512 filters) with a real shortcut around each, a real dense layer",
        source=source,
        smallest_input=8,
        offers=SHORTCUT,
        options=ResNetOptions,
        pad_value=0.0,
        published=published,
    )
    def resnet(method: Method, image: KerasTensor, network: ResNetOptions) -> Features:
        return _stages(image, method, layers, network)


def _of(network: str, top1: float, source: str, dataset: str = "ImageNet") -> Published:
    return Published(dataset=dataset, network=network, top1=top1, source=source)


_HE = "He et al., Deep Residual Learning, CVPR 2016, with the shortcuts of Bi-Real Net (Liu et al., ECCV 2018)"
_IR_NET = "IR-Net's README"
_register("resnet18", (4, 4, 4, 4), _HE, _of("ResNet-18", 58.1, _IR_NET), _of("ResNet-18", 91.5, _IR_NET, "CIFAR-10"))
_register("resnet34", (6, 8, 12, 6), _HE, _of("ResNet-34", 62.9, _IR_NET))
_register(
    "birealnet34",
    (6, 8, 12, 6),
    "Liu et al., Bi-Real Net, ECCV 2018 (34 layers)",
    _of("Bi-Real-34", 62.2, "the authors' README"),
)


@register(
    "adabin_resnet18",
    summary="a real 7x7 convolution with a Maxout, or 3x3 for small images, 16 binary 3x3 ones (4 each of 64, 128, "
    "256, 512 filters) with a real shortcut around each, a batch norm and a real dense layer",
    source="Tu et al., AdaBin, ECCV 2022 (ResNet-18)",
    smallest_input=8,
    classifier=symmetric_layers.normalized_classifier,
    offers=SHORTCUT,
    options=ResNetOptions,
    pad_value=0.0,
    published=(
        _of("ResNet-18", 63.1, "the authors' README"),
        _of("ResNet-18, in two steps", 66.4, "the authors' README"),
    ),
)
def adabin_resnet18(method: Method, image: KerasTensor, network: ResNetOptions) -> Features:
    """Bi-Real Net's stages; the method's Maxout follows each sum."""
    from mobile_bnn.layers.ada_bin import Maxout

    return _stages(image, method, 4, network, Maxout(name="stem_maxout"))
