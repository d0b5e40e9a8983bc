"""MeliusNet with 22 blocks: each appends 64 binary channels to the map, and then improves them by 64 more."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.dense_stages import norm
from mobile_bnn.zoo.blocks.melius_stages import melius_stages
from mobile_bnn.zoo.blocks.real_layers import real_conv
from mobile_bnn.zoo.network_options import Padded

_BLOCKS = (4, 5, 4, 4)
_TRANSITIONS = (160, 224, 256)


def _stem(x: KerasTensor) -> KerasTensor:
    """Three float 3x3 convolutions, two of them in groups: cheaper than one of 7x7."""
    for index, (filters, strides, groups) in enumerate(((32, 2, 1), (32, 1, 4), (64, 1, 8)), 1):
        name = f"stem_{index}"
        x = norm(name)(real_conv(filters, 3, name, strides, groups)(x))
        x = keras2.layers.ReLU(name=f"{name}_relu")(x)
    return keras2.layers.MaxPooling2D(2, padding="same", name="stem_pool")(x)


@register(
    "meliusnet22",
    summary="a light real stem, 17 blocks (4, 5, 4, 4) of two binary 3x3 convolutions of 64 filters: the first one's "
    "channels are appended, the second one's added to them; real transitions",
    source="Bethge et al., MeliusNet: Can Binary Neural Networks Achieve MobileNet-level Accuracy?, arXiv:2001.05936",
    options=Padded,
    pad_value=0.0,
    published=(
        Published(dataset="ImageNet", network="MeliusNet-22", top1=62.4, source="Larq Zoo"),
        Published(dataset="ImageNet", network="MeliusNet-22", top1=63.6, source="the paper"),
    ),
)
def meliusnet22(method: Method, image: KerasTensor) -> Features:
    """Four stages of blocks."""
    return melius_stages(_stem(image), method, _BLOCKS, _TRANSITIONS)
