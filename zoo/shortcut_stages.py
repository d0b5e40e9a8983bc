"""Stages of binary 3x3 convolutions, each with a real-valued shortcut around it: the body of Bi-Real Net."""

from collections.abc import Sequence
from typing import Any

from mobile_bnn.methods import Method


def norm(name: str) -> Any:
    """A batch normalization, named after the layer that it follows."""
    from mobile_bnn.legacy_keras import tf

    return tf.keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")


def real_conv(filters: int, size: int, name: str, strides: int = 1) -> Any:
    """A real-valued convolution without bias."""
    from mobile_bnn.legacy_keras import tf

    return tf.keras.layers.Conv2D(
        filters, size, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )


def binary_stages(x: Any, method: Method, filters: Sequence[int], layers: int) -> Any:
    """Stages of `layers` binary convolutions each; every stage but the first begins by halving height and width.

    Args:
        x: float32 [batch, height, width, channels].
        method: gives the quantizers.
        filters: output channels of each stage.
        layers: binary convolutions in a stage.

    Returns:
        float32 [batch, height / 2^(stages - 1), width / 2^(stages - 1), filters of the last stage], rounded up.
    """
    for stage, channels in enumerate(filters, 1):
        for layer in range(1, layers + 1):
            strides = 2 if layer == 1 and stage > 1 else 1
            x = _binary_layer(x, method, channels, strides, f"stage{stage}_{layer}")
    return x


def _binary_layer(x: Any, method: Method, filters: int, strides: int, name: str) -> Any:
    from mobile_bnn.legacy_keras import larq, tf

    conv = larq.layers.QuantConv2D(
        filters, 3, strides=strides, **method.convolution(), use_bias=False, name=f"{name}_conv"
    )
    y = norm(f"{name}_conv")(conv(x))
    return tf.keras.layers.Add(name=f"{name}_add")([y, _shortcut(x, filters, strides, f"{name}_shortcut")])


def _shortcut(x: Any, filters: int, strides: int, name: str) -> Any:
    from mobile_bnn.legacy_keras import tf

    if strides == 1 and x.shape[-1] == filters:
        return x
    x = tf.keras.layers.AveragePooling2D(strides, padding="same", name=f"{name}_pool")(x)
    return norm(name)(real_conv(filters, 1, name)(x))
