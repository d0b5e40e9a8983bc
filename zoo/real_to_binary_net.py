"""Real-to-Binary Net: a ResNet-18 whose binary convolutions are scaled by factors that depend on their input."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.real_layers import norm, stem
from mobile_bnn.zoo.blocks.shortcut_stages import binary_conv, binary_stages
from mobile_bnn.zoo.network_options import Padded

_REDUCTION = 8


def _prelu(name: str) -> KerasLayer:
    return keras2.layers.PReLU(shared_axes=[1, 2], name=f"{name}_prelu")


def _scales(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """A factor in (0, 1) for each filter, from the means of the input's channels: [N, 1, 1, filters]."""
    layers = keras2.layers
    options = {"use_bias": False, "kernel_initializer": "he_normal"}
    y = layers.GlobalAveragePooling2D(name=f"{name}_mean")(x)
    y = layers.Dense(x.shape[-1] // _REDUCTION, activation="relu", name=f"{name}_reduce", **options)(y)
    y = layers.Dense(filters, activation="sigmoid", name=f"{name}_expand", **options)(y)
    return layers.Reshape((1, 1, filters), name=f"{name}_scales")(y)


def _scaled_branch(x: KerasTensor, method: Method, filters: int, strides: int, name: str) -> KerasTensor:
    x = norm(name)(x)
    y = binary_conv(x, method, filters, strides, name)
    y = keras2.layers.Multiply(name=f"{name}_scaled")([y, _scales(x, filters, name)])
    return _prelu(name)(y)


@register(
    "real_to_binary_net",
    summary="a real 7x7 convolution, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters), each between a batch "
    "norm and a PReLU, scaled by two small dense layers of its input's means, and with a real shortcut around it",
    source="Martinez et al., Training Binary Neural Networks with Real-to-Binary Convolutions, ICLR 2020",
    offers=SHORTCUT,
    options=Padded,
    pad_value=0.0,
    published=(Published(dataset="ImageNet", network="ResNet-18", top1=65.01, source="Larq Zoo"),),
)
def real_to_binary_net(method: Method, image: KerasTensor) -> Features:
    """Four stages of scaled convolutions after ResNet's stem."""
    x = stem(image, _prelu("stem"))
    return binary_stages(x, method, filters=(64, 128, 256, 512), layers=4, stride=4, branch=_scaled_branch)
