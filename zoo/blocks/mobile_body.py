"""MobileNetV1's order of channels and strides, which several families of binary networks fill with their blocks."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.blocks.symmetric_layers import is_small, norm, real_conv
from mobile_bnn.zoo.network_options import Padded

# Of the stem, and of the output of each block.
CHANNELS = (32, 64, 128, 128, 256, 256, *(512,) * 6, 1024, 1024)

# From (input, output channels, stride, number from 1) to a block's output.
Block = Callable[[KerasTensor, int, int, int], KerasTensor]
# From (image, channels, stride) to the stem's output.
Stem = Callable[[KerasTensor, int, int], KerasTensor]


class MobileOptions(Padded):
    """Of networks of MobileNetV1's layers."""

    width: Annotated[float, Field(gt=0, le=4)] = Field(1.0, description="factor of the channels of every layer")
    stem_stride: Literal["auto", "1", "2"] = Field(
        "auto", description="stride of the first convolution; auto: 1 for images below 64 pixels"
    )

    def stride(self, image: KerasTensor) -> int:
        """Of the first convolution."""
        if self.stem_stride != "auto":
            return int(self.stem_stride)
        return 1 if is_small(image) else 2


def real_stem(image: KerasTensor, filters: int, strides: int) -> KerasTensor:
    """A float 3x3 convolution and a batch norm, without an activation."""
    return norm("stem")(real_conv(image, filters, 3, "stem", strides))


def mobile_body(
    image: KerasTensor, channels: Sequence[int], network: MobileOptions, block: Block, stem: Stem = real_stem
) -> Features:
    """A stem and a block for each further channel number; all blocks but the first halve the map where they double.

    Args:
        image: float32 [batch, height, width, channels].
        channels: of the stem and of each block; each is one of the stem's times a power of 2.
        network: the options.
        block: makes a block.
        stem: makes the stem.

    Returns:
        The last map of each stride.
    """
    first, stride = max(1, round(network.width * channels[0])), network.stride(image)
    x, features = stem(image, first, stride), Features()
    for index, each in enumerate(channels[1:], 1):
        filters = first * (each // channels[0])
        strides = 2 if index > 1 and filters != x.shape[-1] else 1
        x = block(x, filters, strides, index)
        stride *= strides
        features[stride] = x
    return features
