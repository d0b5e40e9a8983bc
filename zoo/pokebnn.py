"""PokeBNN at any multiplier: bottlenecks of binary convolutions that are gated and have a shortcut each.

The stem, the gates and the head, which the reference computes with 8 and 4 bits, are float here; its binarization is
the method `poke_bnn`. Where the reference averages a shortcut over 3x3 pixels, those outside the map do not count here.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, create_model

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.network_options import Padded

_EXPANSION = 4  # from a bottleneck's width to its output
_REDUCTION = 8  # of the gates
_SOURCE = "Zhang, Zhang, Lew, PokeBNN: A Binary Pursuit of Lightweight Accuracy, CVPR 2022"


class PokeOptions(Padded):
    """Of PokeBNN."""

    multiplier: Annotated[float, Field(gt=0, le=4)] = Field(
        1.0, description="factor of the filters of every bottleneck, rounded down"
    )

    def width(self, filters: int) -> int:
        """A number of filters with the multiplier, 1 at least."""
        return max(1, int(filters * self.multiplier))


def _norm(name: str, gamma: str = "ones") -> KerasLayer:
    return keras2.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, name=f"{name}_norm")


def _activated(x: KerasTensor, name: str) -> KerasTensor:
    from mobile_bnn.layers.poke_bnn import DPReLU

    return DPReLU(name=f"{name}_dprelu")(x)


def _fit(x: KerasTensor, channels: int, strides: int, repeated: bool, name: str) -> KerasTensor:
    """A shortcut with as many channels and pixels as the branch beside it."""
    from mobile_bnn.layers.poke_bnn import FitChannels

    pool = keras2.layers.AveragePooling2D(3, strides=strides, padding="same", name=f"{name}_pool")
    fit = FitChannels(channels, repeated, name=f"{name}_channels")
    steps = ([fit] if x.shape[-1] != channels else []) + ([pool] if strides > 1 else [])
    # Pooling commutes with copies and zeros, of which there are more.
    for step in steps if x.shape[-1] > channels else steps[::-1]:
        x = step(x)
    return x


def _gate(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """A factor in [0, 1] of each filter from the means of a convolution's input: float32 [N, 1, 1, filters]."""
    from mobile_bnn.layers.poke_bnn import HardSigmoid

    layers = keras2.layers
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    y = layers.Conv2D(max(x.shape[-1] // _REDUCTION, 1), 1, activation="relu", name=f"{name}_squeeze")(y)
    return HardSigmoid(name=f"{name}_gate")(layers.Conv2D(filters, 1, name=f"{name}_expand")(y))


def poke_conv(
    x: KerasTensor,
    method: Method,
    filters: int,
    size: int,
    name: str,
    strides: int = 1,
    block: KerasTensor | None = None,
) -> KerasTensor:
    """PokeConv: a binary convolution with a shortcut of its input and a gate, between two batch norms (figure 2).

    Args:
        x: float32 [batch, height, width, channels].
        method: makes the binary layer.
        filters: output channels.
        size: of the filters.
        name: of the layers.
        strides: of the convolution.
        block: the shortcut around a bottleneck, of the result's shape, which its last convolution gets as well.

    Returns:
        float32 [batch, height / strides, width / strides, filters], rounded up.
    """
    y = method.conv2d(x, filters, size, strides=strides, name=f"{name}_conv")
    y = _norm(f"{name}_conv", "ones" if block is None else "zeros")(y)
    y = method.shortcut(_fit(x, filters, strides, False, f"{name}_shortcut"), y, name=f"{name}_add")
    if block is not None:
        y = keras2.layers.Add(name=f"{name}_block_add")([y, block])
    y = _activated(y, name)
    y = keras2.layers.Multiply(name=f"{name}_gated")([y, _gate(x, filters, name)])
    return _norm(f"{name}_gated")(y)


def bottleneck(x: KerasTensor, method: Method, width: int, strides: int, name: str) -> KerasTensor:
    """Three PokeConvs of 1x1, 3x3 and 1x1: to 4·width channels, with a shortcut around them."""
    block = _fit(x, _EXPANSION * width, strides, True, f"{name}_block")
    y = poke_conv(x, method, width, 1, f"{name}_1")
    y = poke_conv(y, method, width, 3, f"{name}_2", strides)
    return poke_conv(y, method, _EXPANSION * width, 1, f"{name}_3", block=block)


def _stages(
    x: KerasTensor, method: Method, groups: Sequence[tuple[int, int]], network: PokeOptions, stride: int
) -> Features:
    """Groups of (width, bottlenecks) after a map of this stride; every group but the first halves height and width."""
    features = Features()
    for group, (filters, count) in enumerate(groups, 1):
        for block in range(1, count + 1):
            strides = 2 if block == 1 and group > 1 else 1
            x = bottleneck(x, method, network.width(filters), strides, f"group{group}_{block}")
        features[stride * 2 ** (group - 1)] = x
    return features


def _stem(image: KerasTensor, filters: int, size: int, strides: int, padding: str) -> KerasTensor:
    """A convolution, and a 3x3 one with two filters for each of its channels."""
    first = keras2.layers.Conv2D(
        filters, size, strides, padding, use_bias=False, kernel_initializer="he_normal", name="stem_1"
    )
    x = _activated(_norm("stem_1")(first(image)), "stem_1")
    second = keras2.layers.DepthwiseConv2D(
        3, depth_multiplier=2, padding="same", use_bias=False, depthwise_initializer="he_normal", name="stem_2"
    )
    x = second(x)
    return _activated(_norm("stem_2")(x), "stem_2")


def _register(name: str, multiplier: float, *published: Published) -> None:
    """Registers PokeBNN with a multiplier, which options may change."""
    field = PokeOptions.model_fields["multiplier"]
    described = Field(multiplier, gt=0, le=4, description=field.description)

    @register(
        name,
        summary="a light real stem with a stride of 4, 48 binary convolutions in 16 bottlenecks (3, 4, 6, 3 of width "
        f"64, 128, 256, 512 times {multiplier:g}), each with a shortcut and a gate of its input's means",
        source=_SOURCE,
        offers=SHORTCUT,
        options=create_model(f"PokeOptions{name[-3:]}", __base__=PokeOptions, multiplier=(float, described)),
        pad_value=0.0,
        published=published,
    )
    def pokebnn(method: Method, image: KerasTensor, network: PokeOptions) -> Features:
        x = _stem(image, 32, 4, 4, "valid")
        return _stages(x, method, ((64, 3), (128, 4), (256, 6), (512, 3)), network, stride=4)


def _imagenet(network: str, top1: float, source: str) -> Published:
    return Published(dataset="ImageNet", network=network, top1=top1, source=source)


_register("pokebnn_050", 0.5, _imagenet("PokeBNN-0.5x", 65.2, "Papers with Code"))
_register("pokebnn_075", 0.75, _imagenet("PokeBNN-0.75x", 70.5, "the paper's abstract, matched by its cost of 2.6 ACE"))
_register("pokebnn_100", 1.0, _imagenet("PokeBNN-1.0x", 73.4, "Papers with Code"))
_register("pokebnn_140", 1.4, _imagenet("PokeBNN-1.4x", 75.6, "the paper's abstract, matched by its cost of 7.8 ACE"))


@register(
    "pokebnn_small",
    summary="PokeBNN for images of 28 to 64 pixels: a real stem without a stride, 18 binary convolutions in 6 "
    "bottlenecks (2 each of width 8, 32, 64), each with a shortcut and a gate of its input's means",
    source=f"{_SOURCE}; the stem and the groups are this zoo's",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=4,
    offers=SHORTCUT,
    options=PokeOptions,
    pad_value=0.0,
)
def pokebnn_small(method: Method, image: KerasTensor, network: PokeOptions) -> Features:
    """Three groups after a stem of 3x3 filters."""
    return _stages(_stem(image, 16, 3, 1, "same"), method, ((8, 2), (32, 2), (64, 2)), network, stride=1)
