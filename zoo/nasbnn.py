"""NAS-BNN's family as one network with options: ReActNet's blocks with grouped filters of 3x3 or 5x5.

A stage has a number of blocks, a channel number, a filter size and a number of groups; the published networks are
choices within its ranges that a search made. Signs with shifts and PReLUs are the method `react_net`.
"""

from typing import Annotated

from pydantic import Field, model_validator

from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.mobile_body import real_stem
from mobile_bnn.zoo.blocks.symmetric_layers import mean_pool, norm
from mobile_bnn.zoo.network_options import Padded

_STRIDES = (1, 2, 2, 2, 2)  # of the first block of each stage
_STAGES = len(_STRIDES)
PerStage = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=_STAGES, max_length=_STAGES)]


class NasOptions(Padded):
    """What the search chooses; the defaults are of its space, with groups of whole words of 32 channels.

    The space: stem 24, 32 or 48 channels; stages of 48-96, 96-192, 192-384, 384-768 and 768-1536 channels, of 2-3,
    2-3, 2-3, 8-9 and 2-3 blocks, of sizes 3 or 5 (the first 3), in 1, 1-2, 2-4, 4-8 and 8-16 groups.
    """

    stem: Annotated[int, Field(ge=1)] = Field(32, description="channels of the first convolution")
    channels: PerStage = Field([64, 128, 256, 512, 1024], description="of each stage")
    depths: PerStage = Field([2, 2, 2, 8, 2], description="blocks of each stage")
    kernels: PerStage = Field([3, 3, 3, 3, 3], description="filter size of each stage's first convolutions, odd")
    groups: PerStage = Field([1, 2, 4, 8, 16], description="groups of each stage's first convolutions")
    stem_stride: Annotated[int, Field(ge=1, le=2)] = Field(2, description="1 for small images")

    @model_validator(mode="after")
    def _fits_together(self) -> "NasOptions":
        if any(size % 2 == 0 for size in self.kernels):
            raise ValueError("kernels: must be odd")
        before = [self.stem, *self.channels]
        if before != sorted(before):
            raise ValueError("channels: must not fall, from the stem's on")
        for stage, groups in enumerate(self.groups):
            # The first block of a stage has the channels of the stage before.
            for channels in (before[stage], self.channels[stage]) if self.depths[stage] > 1 else (before[stage],):
                if channels % groups:
                    raise ValueError(f"groups: {channels} channels of stage {stage + 1} do not fit into {groups}")
        return self


def _repeated(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """As many channels as `filters`: copies from the first on."""
    from mobile_bnn.layers.poke_bnn import FitChannels

    return x if x.shape[-1] == filters else FitChannels(filters, repeated=True, name=f"{name}_channels")(x)


def block(x: KerasTensor, method: Method, filters: int, strides: int, size: int, groups: int, name: str) -> KerasTensor:
    """A grouped binary convolution and a 1x1 one, each with a batch norm and a shortcut.

    Args:
        x: float32 [batch, height, width, channels].
        method: makes the binary layers and what follows the shortcuts.
        filters: output channels, as many as x has at least.
        strides: of the first convolution.
        size: of its filters.
        groups: of it.
        name: of the layers.

    Returns:
        float32 [batch, height / strides, width / strides, filters], rounded up.
    """
    channels, first = x.shape[-1], f"{name}_1_conv"
    y = method.conv2d(x, channels, size, strides=strides, groups=groups, padding="symmetric", name=first)
    around = mean_pool(x, f"{name}_1_shortcut") if strides > 1 else x
    y = method.shortcut(around, norm(first)(y), name=f"{name}_1_add")
    z = method.conv2d(y, filters, 1, name=f"{name}_2_conv")
    return method.shortcut(_repeated(y, filters, f"{name}_2"), norm(f"{name}_2_conv")(z), name=f"{name}_2_add")


@register(
    "nasbnn",
    summary="a real 3x3 convolution, 5 stages of blocks of a grouped binary 3x3 or 5x5 convolution and a 1x1 one, with "
    "a shortcut around each; channels, blocks, filter sizes and groups are options",
    source="Lin et al., NAS-BNN: Neural Architecture Search for Binary Neural Networks, arXiv:2408.15484",
    smallest_input=16,
    offers=SHORTCUT,
    options=NasOptions,
    pad_value=0.0,
    published=(
        Published(dataset="ImageNet", network="NAS-BNN of 57M OPs", top1=68.2, source="the paper's abstract"),
        Published(dataset="ImageNet", network="NAS-BNN of 180M OPs", top1=70.8, source="a summary, not verified"),
    ),
)
def nasbnn(method: Method, image: KerasTensor, network: NasOptions) -> Features:
    """Five stages after the stem."""
    from mobile_bnn.layers.react_net import ShiftedPReLU

    x = real_stem(image, network.stem, network.stem_stride)
    x = ShiftedPReLU(name="stem_rprelu")(x)
    features, stride = Features(), network.stem_stride
    for stage, first in enumerate(_STRIDES):
        for index in range(network.depths[stage]):
            strides = first if index == 0 else 1
            name = f"stage{stage + 1}_{index + 1}"
            filters, size, groups = (each[stage] for each in (network.channels, network.kernels, network.groups))
            x = block(x, method, filters, strides, size, groups, name)
            stride *= strides
            features[stride] = x
    return features
