"""Bi-Real Net with 18 layers: a ResNet-18 with a float shortcut around every binary convolution."""

from typing import Literal

from pydantic import Field

from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks import real_layers, symmetric_layers
from mobile_bnn.zoo.blocks.shortcut_stages import binary_stages
from mobile_bnn.zoo.network_options import PaddedResidual


class BiRealOptions(PaddedResidual):
    """Of a network that two have published."""

    lineage: Literal["larq_zoo", "pytorch"] = Field(
        "larq_zoo",
        description="whose network it is: larq_zoo is Larq Zoo's; pytorch is that of the authors, where strides pad "
        "maps on both sides and batch norms have an epsilon of 1e-5",
    )


@register(
    "birealnet18",
    summary="a real 7x7 convolution, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) with a real shortcut "
    "around each, a real dense layer",
    source="Liu et al., Bi-Real Net, ECCV 2018 (18 layers)",
    offers=SHORTCUT,
    options=BiRealOptions,
    pad_value=0.0,
    published=(
        Published(dataset="ImageNet", network="Bi-Real-18", top1=57.47, source="Larq Zoo"),
        Published(dataset="ImageNet", network="Bi-Real-18", top1=56.4, source="the authors' README"),
    ),
)
def birealnet18(method: Method, image: KerasTensor, network: BiRealOptions) -> Features:
    """Four stages after ResNet's stem."""
    pytorch = network.lineage == "pytorch"
    return binary_stages(
        symmetric_layers.stem(image) if pytorch else real_layers.stem(image),
        method,
        filters=(64, 128, 256, 512),
        layers=4,
        stride=4,
        branch=symmetric_layers.binary_branch if pytorch else None,
        network=network,
        epsilon=1e-5 if pytorch else 1e-3,
    )
