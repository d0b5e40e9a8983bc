"""Stages of binary 3x3 convolutions, each with a real-valued shortcut around it: the body of Bi-Real Net."""

from collections.abc import Callable, Sequence
from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.real_layers import norm, real_conv

# From (input, method, filters, strides, name) to what is added to the shortcut.
Branch = Callable[[Any, Method, int, int, str], Any]


def binary_conv(method: Method, filters: int, strides: int, name: str) -> Any:
    """The binary 3x3 convolution of a branch."""
    from mobile_bnn.legacy_keras import larq

    return larq.layers.QuantConv2D(
        filters, 3, strides=strides, **method.convolution(), use_bias=False, name=f"{name}_conv"
    )


def plain_branch(x: Any, method: Method, filters: int, strides: int, name: str) -> Any:
    """A convolution and a batch norm."""
    return norm(f"{name}_conv")(binary_conv(method, filters, strides, name)(x))


def binary_stages(x: Any, method: Method, filters: Sequence[int], layers: int, branch: Branch = plain_branch) -> Any:
    """Stages of `layers` binary convolutions each; every stage but the first begins by halving height and width.

    Args:
        x: float32 [batch, height, width, channels].
        method: gives the quantizers.
        filters: output channels of each stage.
        layers: binary convolutions in a stage.
        branch: what stands beside a shortcut.

    Returns:
        float32 [batch, height / 2^(stages - 1), width / 2^(stages - 1), filters of the last stage], rounded up.
    """
    from mobile_bnn.legacy_keras import tf

    for stage, channels in enumerate(filters, 1):
        for layer in range(1, layers + 1):
            strides, name = 2 if layer == 1 and stage > 1 else 1, f"stage{stage}_{layer}"
            y = branch(x, method, channels, strides, name)
            x = tf.keras.layers.Add(name=f"{name}_add")([y, _shortcut(x, channels, strides, f"{name}_shortcut")])
    return x


def _shortcut(x: Any, filters: int, strides: int, name: str) -> Any:
    from mobile_bnn.legacy_keras import tf

    if strides == 1 and x.shape[-1] == filters:
        return x
    x = tf.keras.layers.AveragePooling2D(strides, padding="same", name=f"{name}_pool")(x)
    return norm(name)(real_conv(filters, 1, name)(x))
