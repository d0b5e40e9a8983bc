"""A&B BNN's networks without batch norms: standardized weights and powers of two keep the scale of their maps.

Each addition of a branch α·y raises the expected variance by α², from 1 after a transition on; what is binarized is
first divided by its root. The signs, gains and sums are the method `ab_bnn`, with form=bireal in the ResNet.
"""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.mobile_body import CHANNELS, MobileOptions, mobile_body
from mobile_bnn.zoo.blocks.symmetric_layers import max_pool, mean_pool, prelu
from mobile_bnn.zoo.network_options import Padded

_SOURCE = "Ma et al., A&B BNN: Add&Bit-Operation-Only Hardware-Friendly Binary Neural Network, CVPR 2024"
_GROWTH = 0.25**2  # of the expected variance, α² of the method's default


class Variance:
    """What a map's variance is expected to be."""

    def __init__(self) -> None:
        self.value = 1.0

    def divided(self, x: KerasTensor, name: str) -> KerasTensor:
        """A map divided by the root of its expected variance."""
        return keras2.layers.Rescaling(self.value**-0.5, name=f"{name}_scaled")(x)

    def added(self, transition: bool) -> None:
        """After a branch is added to a shortcut, which has a variance of 1 where it is a transition's."""
        self.value = (1.0 if transition else self.value) + _GROWTH


def _real_conv(x: KerasTensor, filters: int, size: int, name: str, strides: int = 1) -> KerasTensor:
    from mobile_bnn.layers.add_and_bit import StandardizedConv2D
    from mobile_bnn.layers.symmetric_padding import pad_evenly

    if strides > 1:
        x = pad_evenly(x, size, name)
    padding = "valid" if strides > 1 else "same"
    return StandardizedConv2D(filters, size, strides, padding, use_bias=False, name=name)(x)


def residual_layer(
    x: KerasTensor, method: Method, filters: int, strides: int, variance: Variance, name: str
) -> KerasTensor:
    """A binary 3x3 convolution and its shortcut: [N, H, W, C] to [N, H / strides, W / strides, filters]."""
    scaled = variance.divided(x, name)
    y = method.conv2d(scaled, filters, 3, strides=strides, padding="symmetric", name=f"{name}_conv")
    transition = strides > 1
    if transition:
        x = _real_conv(mean_pool(x, f"{name}_shortcut"), filters, 1, f"{name}_shortcut")
    variance.added(transition)
    return method.shortcut(x, y, name=f"{name}_add")


@register(
    "ab_resnet18",
    summary="without batch norms: a real 7x7 convolution, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) "
    "with a real shortcut around each, a real dense layer",
    source=f"{_SOURCE} (ResNet-18)",
    offers=SHORTCUT,
    options=Padded,
    pad_value=0.0,
    published=(Published(dataset="ImageNet", network="ResNet-18", top1=61.4, source="the authors' README"),),
)
def ab_resnet18(method: Method, image: KerasTensor) -> Features:
    """Four stages of residual layers."""
    x = max_pool(prelu(_real_conv(image, 64, 7, "stem", strides=2), "stem"), "stem")
    features, variance = Features(), Variance()
    for stage, filters in enumerate((64, 128, 256, 512), 1):
        for layer in range(1, 5):
            strides = 2 if layer == 1 and stage > 1 else 1
            x = residual_layer(x, method, filters, strides, variance, f"stage{stage}_{layer}")
        features[2 ** (stage + 1)] = x
    return {**features, 32: prelu(x, "last")}


@register(
    "ab_reactnet_a",
    summary="without batch norms: MobileNetV1 with a real 3x3 convolution and 13 blocks of a binary 3x3 and a 1x1 "
    "convolution with a shortcut around each, 32 to 1024 channels",
    source=f"{_SOURCE} (ReActNet-A)",
    smallest_input=16,
    offers=SHORTCUT,
    options=MobileOptions,
    pad_value=0.0,
    published=(Published(dataset="ImageNet", network="ReActNet-A", top1=66.9, source="the authors' README"),),
)
def ab_reactnet_a(method: Method, image: KerasTensor, network: MobileOptions) -> Features:
    """ReActNet-A's blocks."""
    variance = Variance()

    def stem(image: KerasTensor, filters: int, strides: int) -> KerasTensor:
        return _real_conv(image, filters, 3, "stem", strides)

    def block(x: KerasTensor, filters: int, strides: int, index: int) -> KerasTensor:
        name, channels = f"block{index}", x.shape[-1]
        scaled = variance.divided(x, f"{name}_1")
        y = method.conv2d(scaled, channels, 3, strides=strides, padding="symmetric", name=f"{name}_1_conv")
        around = mean_pool(x, f"{name}_1_shortcut") if strides > 1 else x
        variance.added(strides > 1)
        y = method.shortcut(around, y, name=f"{name}_1_add")
        z = method.conv2d(variance.divided(y, f"{name}_2"), filters, 1, name=f"{name}_2_conv")
        doubled = filters == 2 * channels
        around = keras2.layers.Concatenate(name=f"{name}_2_shortcut")([y, y]) if doubled else y
        variance.added(False)
        return method.shortcut(around, z, name=f"{name}_2_add")

    return mobile_body(image, CHANNELS, network, block, stem)
