"""Stages of binary 3x3 convolutions, each with a float shortcut around it: the body of Bi-Real Net."""

from collections.abc import Callable, Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.blocks.real_layers import norm, real_conv
from mobile_bnn.zoo.network_options import Residual

# From (input, method, filters, strides, name) to what is added to the shortcut.
Branch = Callable[[KerasTensor, Method, int, int, str], KerasTensor]


def binary_conv(x: KerasTensor, method: Method, filters: int, strides: int, name: str) -> KerasTensor:
    """The binary 3x3 convolution of a branch."""
    return method.conv2d(x, filters, 3, strides=strides, name=f"{name}_conv")


def plain_branch(epsilon: float = 1e-3) -> Branch:
    """A convolution and a batch norm with this epsilon."""

    def branch(x: KerasTensor, method: Method, filters: int, strides: int, name: str) -> KerasTensor:
        return norm(f"{name}_conv", epsilon=epsilon)(binary_conv(x, method, filters, strides, name))

    return branch


def binary_stages(
    x: KerasTensor,
    method: Method,
    filters: Sequence[int],
    layers: int | Sequence[int],
    stride: int,
    branch: Branch | None = None,
    network: Residual | None = None,
    epsilon: float = 1e-3,
) -> Features:
    """Stages of binary convolutions; every stage but the first begins by halving height and width.

    Args:
        x: float32 [batch, height, width, channels].
        method: makes the binary layers.
        filters: output channels of each stage.
        layers: binary convolutions in a stage: a number for each, or one for all.
        stride: of x.
        branch: what stands beside a shortcut; `plain_branch` by default.
        network: what to change: the number of filters, and whether there are shortcuts.
        epsilon: of the batch norms.

    Returns:
        The output of each stage by its stride: float32 [batch, height / 2^i, width / 2^i, filters[i]], rounded up.
    """
    features, network, branch = Features(), network or Residual(), branch or plain_branch(epsilon)
    counts = [layers] * len(filters) if isinstance(layers, int) else layers
    for stage, (channels, count) in enumerate(zip(map(network.widened, filters), counts, strict=True), 1):
        for layer in range(1, count + 1):
            strides, name = 2 if layer == 1 and stage > 1 else 1, f"stage{stage}_{layer}"
            y = branch(x, method, channels, strides, name)
            if network.shortcuts:
                y = method.shortcut(_shortcut(x, channels, strides, f"{name}_shortcut", epsilon), y, name=f"{name}_add")
            x = y
        features[stride * 2 ** (stage - 1)] = x
    return features


def _shortcut(x: KerasTensor, filters: int, strides: int, name: str, epsilon: float) -> KerasTensor:
    if strides == 1 and x.shape[-1] == filters:
        return x
    x = keras2.layers.AveragePooling2D(strides, padding="same", name=f"{name}_pool")(x)
    return norm(name, epsilon=epsilon)(real_conv(filters, 1, name)(x))
