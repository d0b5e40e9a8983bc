"""PokeBNN's convolution: binary, between two batch norms, with a shortcut of its input and a gate."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.typing import KerasLayer, KerasTensor

_EXPANSION = 4  # from a bottleneck's width to its output
_REDUCTION = 8  # of the gates


def norm(name: str, gamma: str = "ones") -> KerasLayer:
    """A batch normalization, named after the layer that it follows."""
    return keras2.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, name=f"{name}_norm")


def activated(x: KerasTensor, name: str) -> KerasTensor:
    """A map after a DPReLU."""
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
    y = norm(f"{name}_conv", "ones" if block is None else "zeros")(y)
    y = method.shortcut(_fit(x, filters, strides, False, f"{name}_shortcut"), y, name=f"{name}_add")
    if block is not None:
        y = keras2.layers.Add(name=f"{name}_block_add")([y, block])
    y = activated(y, name)
    y = keras2.layers.Multiply(name=f"{name}_gated")([y, _gate(x, filters, name)])
    return norm(f"{name}_gated")(y)


def bottleneck(x: KerasTensor, method: Method, width: int, strides: int, name: str) -> KerasTensor:
    """Three PokeConvs of 1x1, 3x3 and 1x1: to 4·width channels, with a shortcut around them."""
    block = _fit(x, _EXPANSION * width, strides, True, f"{name}_block")
    y = poke_conv(x, method, width, 1, f"{name}_1")
    y = poke_conv(y, method, width, 3, f"{name}_2", strides)
    return poke_conv(y, method, _EXPANSION * width, 1, f"{name}_3", block=block)
