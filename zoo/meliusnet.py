"""The MeliusNets beside the one of Larq Zoo (`meliusnet22`), as their authors' code has them: padded with -1."""

from collections.abc import Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks import symmetric_layers
from mobile_bnn.zoo.blocks.melius_stages import grouped_transition, melius_stages
from mobile_bnn.zoo.network_options import Padded


def stem(image: KerasTensor) -> KerasTensor:
    """Three float 3x3 convolutions, two of them in groups, and a pooling: [N, H, W, 3] to [N, H / 4, W / 4, 64]."""
    x = image
    for index, (filters, strides, groups) in enumerate(((32, 2, 1), (32, 1, 4), (64, 1, 8)), 1):
        name = f"stem_{index}"
        x = symmetric_layers.norm(name)(symmetric_layers.real_conv(x, filters, 3, name, strides, groups))
        x = keras2.layers.ReLU(name=f"{name}_relu")(x)
    return symmetric_layers.max_pool(x, "stem")


def _register(
    name: str, blocks: Sequence[int], widths: Sequence[int], groups: int, shuffled: bool, top1: float
) -> None:
    published_as = f"MeliusNet-{name.removeprefix('meliusnet').lstrip('_').upper()}"
    counts = ", ".join(map(str, blocks))

    @register(
        name,
        summary=f"a light real stem, {sum(blocks)} blocks ({counts}) of two binary 3x3 convolutions of 64 filters: the "
        "first one's channels are appended, the second one's added to them; real transitions"
        + (f" in {groups} groups" if groups > 1 else ""),
        source="Bethge et al., MeliusNet: Can Binary Neural Networks Achieve MobileNet-level Accuracy?, "
        f"arXiv:2001.05936 ({published_as})",
        options=Padded,
        pad_value=-1.0,
        published=(
            Published(dataset="ImageNet", network=published_as, top1=top1, source="the paper's table, recalled"),
        ),
    )
    def meliusnet(method: Method, image: KerasTensor) -> Features:
        return melius_stages(stem(image), method, blocks, widths, grouped_transition(groups, shuffled))


_register("meliusnet29", (4, 6, 8, 6), (128, 192, 256), 1, False, 65.8)
_register("meliusnet42", (5, 8, 14, 10), (160, 256, 416), 1, False, 69.2)
_register("meliusnet59", (6, 12, 24, 12), (192, 320, 544), 1, False, 70.7)
_register("meliusnet_a", (4, 5, 5, 6), (160, 256, 288), 4, True, 63.4)
_register("meliusnet_b", (4, 6, 8, 6), (160, 224, 320), 2, True, 65.7)
_register("meliusnet_c", (3, 5, 10, 6), (128, 192, 288), 4, True, 64.1)
