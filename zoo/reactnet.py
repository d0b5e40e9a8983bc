"""ReActNet: MobileNetV1's layers, or ResNet-18's, with binary convolutions that have a shortcut each.

Its shifted signs and PReLUs are the method `react_net`. Where a block doubles the channels, the authors' code runs two
1x1 convolutions of the same signs side by side; here they are one of twice the filters, which is the same.
"""

from collections.abc import Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks import shortcut_stages, symmetric_layers
from mobile_bnn.zoo.blocks.mobile_body import CHANNELS, MobileOptions, mobile_body
from mobile_bnn.zoo.blocks.symmetric_layers import mean_pool, norm
from mobile_bnn.zoo.network_options import PaddedResidual

_SOURCE = "Liu, Shen, Savvides, Cheng, ReActNet, ECCV 2020"
_SMALL = (16, 32, 64, 64, 128, 128)


def block(
    x: KerasTensor, method: Method, filters: int, strides: int, name: str, real_groups: int | None = None
) -> KerasTensor:
    """A binary 3x3 convolution and a 1x1 one, each with a batch norm and a shortcut.

    Args:
        x: float32 [batch, height, width, channels].
        method: makes the binary layers and what follows the shortcuts.
        filters: output channels: those of x, or twice as many.
        strides: of the 3x3 convolution.
        name: of the layers.
        real_groups: groups of a float 1x1 convolution in place of a binary one that doubles the channels.

    Returns:
        float32 [batch, height / strides, width / strides, filters], rounded up.
    """
    channels = x.shape[-1]
    y = method.conv2d(x, channels, 3, strides=strides, padding="symmetric", name=f"{name}_1_conv")
    around = mean_pool(x, f"{name}_1_shortcut") if strides > 1 else x
    y = method.shortcut(around, norm(f"{name}_1_conv")(y), name=f"{name}_1_add")
    doubled = filters == 2 * channels
    if doubled and real_groups is not None:
        z = symmetric_layers.real_conv(y, filters, 1, f"{name}_2_conv", groups=real_groups)
    else:
        z = method.conv2d(y, filters, 1, name=f"{name}_2_conv")
    around = keras2.layers.Concatenate(name=f"{name}_2_shortcut")([y, y]) if doubled else y
    return method.shortcut(around, norm(f"{name}_2_conv")(z), name=f"{name}_2_add")


def _body(
    image: KerasTensor, method: Method, channels: Sequence[int], network: MobileOptions, real_groups: int | None = None
) -> Features:
    def numbered(x: KerasTensor, filters: int, strides: int, index: int) -> KerasTensor:
        return block(x, method, filters, strides, f"block{index}", real_groups)

    return mobile_body(image, channels, network, numbered)


def _register(letter: str, top1: float, source: str, doubling: str, real_groups: int | None) -> None:
    @register(
        f"reactnet_{letter}",
        summary=f"MobileNetV1: a real 3x3 convolution, 13 blocks of a binary 3x3 and a 1x1 convolution with a shortcut "
        f"around each, 32 to 1024 channels; {doubling}",
        source=f"{_SOURCE} (ReActNet-{letter.upper()})",
        smallest_input=16,
        offers=SHORTCUT,
        options=MobileOptions,
        pad_value=0.0,
        published=(Published(dataset="ImageNet", network=f"ReActNet-{letter.upper()}", top1=top1, source=source),),
    )
    def reactnet(method: Method, image: KerasTensor, network: MobileOptions) -> Features:
        return _body(image, method, CHANNELS, network, real_groups)


_register("a", 69.5, "the authors' README", "1x1 convolutions that double the channels are binary", None)
_register("b", 70.1, "recalled, not verified", "1x1 convolutions that double the channels are real, in 4 groups", 4)
_register("c", 71.4, "recalled, not verified", "1x1 convolutions that double the channels are real", 1)


@register(
    "reactnet_small",
    summary="ReActNet-A's blocks for images of 28 to 64 pixels: a real 3x3 convolution without a stride, 5 blocks of a "
    "binary 3x3 and a 1x1 convolution with a shortcut around each, 16 to 128 channels",
    source=f"{_SOURCE}; the number of blocks and the channels are this zoo's",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=4,
    offers=SHORTCUT,
    options=MobileOptions,
    pad_value=0.0,
)
def reactnet_small(method: Method, image: KerasTensor, network: MobileOptions) -> Features:
    """Five blocks."""
    return _body(image, method, _SMALL, network)


@register(
    "reactnet_18",
    summary="a real 7x7 convolution, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) with a real shortcut "
    "around each, a real dense layer; strides pad as PyTorch does",
    source=f"{_SOURCE} (ReActNet of ResNet-18)",
    offers=SHORTCUT,
    options=PaddedResidual,
    pad_value=0.0,
    published=(Published(dataset="ImageNet", network="ResNet-18", top1=65.9, source="the authors' README"),),
)
def reactnet_18(method: Method, image: KerasTensor, network: PaddedResidual) -> Features:
    """Bi-Real Net's stages after ResNet's stem."""
    return shortcut_stages.binary_stages(
        symmetric_layers.stem(image),
        method,
        filters=(64, 128, 256, 512),
        layers=4,
        stride=4,
        branch=symmetric_layers.binary_branch,
        network=network,
        epsilon=1e-5,
    )
