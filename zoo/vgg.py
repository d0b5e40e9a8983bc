"""VGG-Small and VGG-11 for small images, as the survey's CIFAR-10 tables have them: first and last layer are float.

`binary_net`, which is called VGG-small too, has three binary dense layers instead of one float one.
"""

from collections.abc import Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.symmetric_layers import norm, real_conv
from mobile_bnn.zoo.network_options import Chain, Padded


class PaddedChain(Chain, Padded):
    """Of published chains."""


def _convolutions(
    image: KerasTensor, method: Method, filters: Sequence[int], pooled: Sequence[int], network: PaddedChain
) -> Features:
    """3x3 convolutions, the first one float; those numbered in `pooled` halve height and width.

    Pooling comes before the batch norm, or after it by `network.order`.
    """
    x, features, stride = image, Features(), 1
    for index, each in enumerate(map(network.widened, filters), 1):
        name = f"conv{index}"
        x = real_conv(x, each, 3, name) if index == 1 else method.conv2d(x, each, 3, name=name)
        after = [norm(name)]
        if index in pooled:
            after.insert(int(network.order == "norm_pool"), keras2.layers.MaxPooling2D(2, name=f"{name}_pool"))
            stride *= 2
        for layer in after:
            x = layer(x)
        features[stride] = x
    return {**features, stride: keras2.layers.ReLU(name="relu")(x)}


def _classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    """A float dense layer of all pixels."""
    x = keras2.layers.Flatten(name="flatten")(features[max(features)])
    return keras2.layers.Dense(num_classes, name="logits")(x)


def _of(network: str, top1: float, source: str) -> Published:
    return Published(dataset="CIFAR-10", network=network, top1=top1, source=source)


@register(
    "vgg_small",
    summary="a real 3x3 convolution of 128 filters, five binary ones (128, 256, 256, 512, 512), three poolings, a real "
    "dense layer of all pixels",
    source="Zhang et al., LQ-Nets, ECCV 2018; Qin et al., IR-Net, CVPR 2020 (VGG-Small)",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=8,
    classifier=_classifier,
    options=PaddedChain,
    pad_value=0.0,
    published=(_of("VGG-Small", 90.4, "IR-Net's README"), _of("VGG-Small", 92.3, "AdaBin's README")),
)
def vgg_small(method: Method, image: KerasTensor, network: PaddedChain) -> Features:
    """Six convolutions."""
    return _convolutions(image, method, (128, 128, 256, 256, 512, 512), (2, 4, 6), network)


@register(
    "vgg11",
    summary="a real 3x3 convolution of 64 filters, seven binary ones (128, 256, 256, 512, 512, 512, 512), five "
    "poolings, a real dense layer",
    source="Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015 (configuration A)",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=32,
    classifier=_classifier,
    options=PaddedChain,
    pad_value=0.0,
    published=(_of("VGG-11", 82.0, "Main/Subsidiary (2019), recalled, not verified"),),
)
def vgg11(method: Method, image: KerasTensor, network: PaddedChain) -> Features:
    """Eight convolutions."""
    return _convolutions(image, method, (64, 128, 256, 256, 512, 512, 512, 512), (1, 2, 4, 6, 8), network)
