"""What networks are made of that append channels of a binary convolution to a real-valued map."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.real_layers import norm, real_conv

GROWTH = 64


def binary_channels(x: Any, method: Method, name: str, dilation: int = 1) -> Any:
    """`GROWTH` channels of a binary 3x3 convolution of the normalized map, of the map's height and width."""
    from mobile_bnn.legacy_keras import larq

    conv = larq.layers.QuantConv2D(
        GROWTH, 3, dilation_rate=dilation, **method.convolution(), use_bias=False, name=f"{name}_conv"
    )
    return conv(norm(name)(x))


def append(x: Any, method: Method, name: str, dilation: int = 1) -> Any:
    """The map, and behind its channels those of a binary convolution of it."""
    from mobile_bnn.legacy_keras import tf

    return tf.keras.layers.Concatenate(name=f"{name}_append")([x, binary_channels(x, method, name, dilation)])


def transition(x: Any, filters: int, name: str, pooled: bool = True) -> Any:
    """Between two stages: fewer channels by a real 1x1 convolution, and half the height and width if `pooled`."""
    from mobile_bnn.legacy_keras import tf

    x = norm(name)(x)
    if pooled:
        x = tf.keras.layers.MaxPooling2D(2, padding="same", name=f"{name}_pool")(x)
    x = tf.keras.layers.ReLU(name=f"{name}_relu")(x)
    return real_conv(filters, 1, name)(x)
