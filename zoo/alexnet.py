"""The layers of the binary AlexNets."""

from typing import Any

from mobile_bnn.methods import Method


def norm(name: str) -> Any:
    """A batch normalization without a scale, which a sign behind it would not see; named after the layer before it."""
    from mobile_bnn.legacy_keras import tf

    return tf.keras.layers.BatchNormalization(momentum=0.9, scale=False, name=f"{name}_norm")


def pool(name: str, padding: str = "valid") -> Any:
    """An overlapping maximum pooling; named after the layer before it."""
    from mobile_bnn.legacy_keras import tf

    return tf.keras.layers.MaxPooling2D(3, strides=2, padding=padding, name=f"{name}_pool")


def binary_conv(method: Method, filters: int, size: int, name: str) -> Any:
    """A binary convolution that keeps height and width."""
    from mobile_bnn.legacy_keras import larq

    return larq.layers.QuantConv2D(filters, size, **method.convolution(), use_bias=False, name=name)


def binary_dense(method: Method, units: int, name: str) -> Any:
    """A binary dense layer."""
    from mobile_bnn.legacy_keras import larq

    return larq.layers.QuantDense(units, **method.layer(), use_bias=False, name=name)


def binary_body(x: Any, method: Method, filters: int) -> Any:
    """The second to the fifth convolution, the second of `filters` filters; batch norms stand behind the poolings."""
    for index, (channels, size) in enumerate(((filters, 5), (384, 3), (384, 3), (256, 3)), 2):
        name = f"conv{index}"
        x = binary_conv(method, channels, size, name)(x)
        if index in (2, 5):
            x = pool(name)(x)
        x = norm(name)(x)
    return x
