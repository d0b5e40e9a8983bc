"""Layers that append the channels of a binary convolution to a float map."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.blocks import real_layers

GROWTH = 64


def norm(name: str) -> KerasLayer:
    """A batch normalization with the epsilon of these families, 1e-5."""
    return real_layers.norm(name, epsilon=1e-5)


def binary_channels(x: KerasTensor, method: Method, name: str, dilation: int = 1) -> KerasTensor:
    """`GROWTH` channels of a binary 3x3 convolution of the normalized map, of the map's height and width."""
    return method.conv2d(norm(name)(x), GROWTH, 3, dilation=dilation, name=f"{name}_conv")


def append(x: KerasTensor, method: Method, name: str, dilation: int = 1) -> KerasTensor:
    """The map, and after its channels those of a binary convolution of it."""
    return keras2.layers.Concatenate(name=f"{name}_append")([x, binary_channels(x, method, name, dilation)])


def transition(x: KerasTensor, filters: int, name: str, pooling: str | None = "same") -> KerasTensor:
    """Between two stages: fewer channels by a float 1x1 convolution.

    Args:
        x: float32 [batch, height, width, channels].
        filters: output channels.
        name: of the convolution, with which the others begin.
        pooling: padding of the pooling that halves height and width; None leaves it out.
    """
    x = norm(name)(x)
    if pooling:
        x = keras2.layers.MaxPooling2D(2, padding=pooling, name=f"{name}_pool")(x)
    x = keras2.layers.ReLU(name=f"{name}_relu")(x)
    return real_layers.real_conv(filters, 1, name)(x)
