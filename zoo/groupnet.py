"""Group-Net of ResNet-18: each residual block is a mean of several binary ones, with soft gates between blocks.

The layers of the bases are the method `group_net`, with bases=network and count=1.
"""

from typing import Annotated

from pydantic import Field

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks import symmetric_layers
from mobile_bnn.zoo.blocks.symmetric_layers import mean_pool, norm, real_conv
from mobile_bnn.zoo.network_options import Padded


class GroupOptions(Padded):
    """Of Group-Net."""

    bases: Annotated[int, Field(ge=1, le=16)] = Field(5, description="binary blocks in place of a residual one, K")


def base(x: KerasTensor, method: Method, filters: int, strides: int, name: str) -> KerasTensor:
    """A binary residual block: two 3x3 convolutions, each with a ReLU, a batch norm and a shortcut."""
    for layer in (1, 2):
        now, part = strides if layer == 1 else 1, f"{name}_{layer}"
        y = method.conv2d(x, filters, 3, strides=now, padding="symmetric", name=f"{part}_conv")
        y = norm(f"{part}_conv")(keras2.layers.ReLU(name=f"{part}_relu")(y))
        if now > 1:
            x = mean_pool(x, f"{part}_shortcut")
        if x.shape[-1] != filters:
            x = norm(f"{part}_shortcut")(real_conv(x, filters, 1, f"{part}_shortcut"))
        x = method.shortcut(x, y, name=f"{part}_add")
    return x


def group(
    inputs: list[KerasTensor], method: Method, filters: int, strides: int, gated: bool, name: str
) -> list[KerasTensor]:
    """One base for each input.

    With `gated`, base k reads σ(θ_k)·x_k + (1 − σ(θ_k))·mean of all x, θ learned: its own chain, or what all agree on.
    """
    from mobile_bnn.layers.group_bases import SoftGate

    if gated and len(inputs) > 1:
        mean = keras2.layers.Average(name=f"{name}_mean")(inputs)
        inputs = [SoftGate(name=f"{name}_gate{k}")([x, mean]) for k, x in enumerate(inputs, 1)]
    return [base(x, method, filters, strides, f"{name}_base{k}") for k, x in enumerate(inputs, 1)]


@register(
    "groupnet_resnet18",
    summary="a real 7x7 convolution, 8 residual blocks (2 each of 64, 128, 256, 512 filters), each as the mean of 5 "
    "binary ones of two 3x3 convolutions with a real shortcut around each, soft gates between the blocks",
    source="Zhuang et al., Structured Binary Neural Networks for Accurate Image Classification and Semantic "
    "Segmentation, CVPR 2019 (Group-Net, ResNet-18)",
    offers=SHORTCUT,
    options=GroupOptions,
    published=(
        Published(dataset="ImageNet", network="ResNet-18", top1=64.8, source="recalled, not verified"),
        Published(dataset="ImageNet", network="ResNet-18", top1=63.9, source="QTool's README"),
    ),
)
def groupnet_resnet18(method: Method, image: KerasTensor, network: GroupOptions) -> Features:
    """Chains of bases, whose mean is what a stage gives."""
    x = symmetric_layers.stem(image, keras2.layers.ReLU(name="stem_relu"))
    chains, features = [x] * network.bases, Features()
    for stage, filters in enumerate((64, 128, 256, 512), 1):
        for block in (1, 2):
            strides, first = (2 if block == 1 and stage > 1 else 1), stage == block == 1
            chains = group(chains, method, filters, strides, not first, f"stage{stage}_{block}")
        mean = keras2.layers.Average(name=f"stage{stage}_mean")(chains) if len(chains) > 1 else chains[0]
        features[2 ** (stage + 1)] = mean
    return features
