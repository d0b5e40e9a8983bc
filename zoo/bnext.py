"""BNext in four sizes: MobileNetV1's order of layers, with gated binary convolutions.

Its quantizers are the method `bnext`; shifts of signs, gates, PReLUs and shortcuts are the network's. The gate of a
convolution reads the means of a mixture of its input and its output; here the means are mixed, which is the same.
"""

from collections.abc import Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.mobile_body import CHANNELS, MobileOptions, mobile_body
from mobile_bnn.zoo.blocks.symmetric_layers import mean_pool, norm, prelu

_REDUCTION = 8  # of the gates


def _gate(before: KerasTensor, after: KerasTensor, name: str) -> KerasTensor:
    """A factor in (0, 1) of each channel, from the means of a convolution's input and output: [N, 1, 1, C]."""
    from mobile_bnn.layers.bnext import ChannelMix

    layers, channels = keras2.layers, after.shape[-1]
    means = [
        layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean_{part}")(x)
        for part, x in (("in", before), ("out", after))
    ]
    y = ChannelMix(name=f"{name}_mix")(means)
    y = layers.Conv2D(max(channels // _REDUCTION, 1), 1, activation="relu", name=f"{name}_squeeze")(y)
    return layers.Conv2D(channels, 1, activation="sigmoid", name=f"{name}_expand")(y)


def unit(x: KerasTensor, method: Method, size: int, strides: int, attention: bool, name: str) -> KerasTensor:
    """A binary convolution with its gate and shortcut: FFN, or with `attention` the attention unit.

    Args:
        x: float32 [batch, height, width, channels].
        method: makes the binary layer.
        size: of its filters.
        strides: of the convolution.
        attention: whether the branch is multiplied by the shortcut as well, which has a PReLU then.
        name: of the layers.

    Returns:
        float32 [batch, height / strides, width / strides, channels], rounded up.
    """
    from mobile_bnn.layers.bnext import ChannelShift

    shifted = ChannelShift(name=f"{name}_shift")(x)
    y = method.conv2d(shifted, x.shape[-1], size, strides=strides, padding="symmetric", name=f"{name}_conv")
    y = prelu(norm(f"{name}_conv")(y), name)
    before = mean_pool(x, f"{name}_input") if strides > 1 else x
    factors, around = [y, _gate(before, y, name)], before
    if attention:
        around = prelu(x, f"{name}_shortcut")
        around = mean_pool(around, f"{name}_shortcut") if strides > 1 else around
        factors.append(around)
    for index, factor in enumerate(factors[1:], 1):
        y = keras2.layers.Multiply(name=f"{name}_gated_{index}")([y, factor])
    return method.shortcut(around, norm(f"{name}_gated")(y), name=f"{name}_add")


def block(x: KerasTensor, method: Method, filters: int, strides: int, index: int) -> KerasTensor:
    """A 3x3 unit, with attention in every second block, and one or two 1x1 units side by side."""
    name = f"block{index}"
    y = unit(x, method, 3, strides, index % 2 == 0, f"{name}_1")
    if filters == y.shape[-1]:
        return unit(y, method, 1, 1, False, f"{name}_2")
    halves = [unit(y, method, 1, 1, False, f"{name}_{part}") for part in ("2a", "2b")]
    return keras2.layers.Concatenate(name=f"{name}_2")(halves)


def _register(letter: str, channels: Sequence[int], top1: float) -> None:
    blocks = len(channels) - 1

    @register(
        f"bnext_{letter}",
        summary=f"a real 3x3 convolution, {blocks} blocks of a binary 3x3 and one or two 1x1 convolutions, "
        f"{channels[0]} to {channels[-1]} channels, each with a gate and a shortcut, every second 3x3 with attention",
        source="Guo et al., Join the High Accuracy Club on ImageNet with a Binary Neural Network Ticket, "
        f"arXiv:2211.12933 (BNext-{letter.upper()})",
        smallest_input=16,
        offers=SHORTCUT,
        options=MobileOptions,
        pad_value=0.0,
        published=(
            Published(dataset="ImageNet", network=f"BNext-{letter.upper()}", top1=top1, source="the authors' README"),
        ),
    )
    def bnext(method: Method, image: KerasTensor, network: MobileOptions) -> Features:
        def numbered(x: KerasTensor, filters: int, strides: int, index: int) -> KerasTensor:
            return block(x, method, filters, strides, index)

        features = mobile_body(image, channels, network, numbered)
        last = max(features)
        return {**features, last: prelu(features[last], "last")}


def _longer(first: int, counts: Sequence[int]) -> tuple[int, ...]:
    """Channels that double from the stem's on: one block of twice as many, then counts[i] of four times as many, …"""
    later = [first * 4 * 2**stage for stage, count in enumerate(counts) for _ in range(count)]
    return (first, 2 * first, *later)


_register("t", CHANNELS, 72.4)
_register("s", tuple(each * 3 // 2 for each in CHANNELS), 76.1)
_register("m", _longer(48, (4, 4, 8, 4)), 78.3)
_register("l", _longer(64, (4, 4, 16, 4)), 80.6)
