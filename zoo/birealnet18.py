"""Bi-Real Net with 18 layers: a ResNet-18 with a float shortcut around every binary convolution."""

from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.real_layers import stem
from mobile_bnn.zoo.blocks.shortcut_stages import binary_stages
from mobile_bnn.zoo.network_options import PaddedResidual


@register(
    "birealnet18",
    summary="a real 7x7 convolution, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) with a real shortcut "
    "around each, a real dense layer",
    source="Liu et al., Bi-Real Net, ECCV 2018 (18 layers)",
    offers=SHORTCUT,
    options=PaddedResidual,
    pad_value=0.0,
    published=(
        Published(dataset="ImageNet", network="Bi-Real-18", top1=57.47, source="Larq Zoo"),
        Published(dataset="ImageNet", network="Bi-Real-18", top1=56.4, source="the authors' README"),
    ),
)
def birealnet18(method: Method, image: KerasTensor, network: PaddedResidual) -> Features:
    """Four stages after ResNet's stem."""
    return binary_stages(stem(image), method, filters=(64, 128, 256, 512), layers=4, stride=4, network=network)
