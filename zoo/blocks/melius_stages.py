"""MeliusNet's blocks and stages: 64 binary channels are appended to a map, and then 64 more are added to these."""

from collections.abc import Callable, Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.blocks.dense_stages import append, binary_channels, norm, transition
from mobile_bnn.zoo.blocks.real_layers import real_conv

# From (a map, output channels, name) to half of its height and width.
Transition = Callable[[KerasTensor, int, str], KerasTensor]
_SHUFFLE = 16  # groups of channels


def improve(x: KerasTensor, method: Method, name: str) -> KerasTensor:
    """Adds the channels of a binary convolution to the last channels of the map."""
    layers = keras2.layers
    y = binary_channels(x, method, name)
    # The layer pads the last two dimensions if it takes them for height and width; the last one is that of channels.
    before = x.shape[-1] - y.shape[-1]
    pad = layers.ZeroPadding2D(((0, 0), (before, 0)), data_format="channels_first", name=f"{name}_pad")
    return layers.Add(name=f"{name}_add")([x, pad(y)])


def melius_stages(
    x: KerasTensor, method: Method, blocks: Sequence[int], widths: Sequence[int], between: Transition = transition
) -> Features:
    """Stages of `blocks` blocks each after a map of stride 4; a transition to `widths` channels stands between two.

    Returns:
        The last map of each stride, that of 32 after a batch norm and a ReLU.
    """
    features = Features()
    for stage, count in enumerate(blocks, 1):
        if stage > 1:
            x = between(x, widths[stage - 2], f"transition{stage - 1}")
        for block in range(1, count + 1):
            x = append(x, method, f"stage{stage}_{block}_dense")
            x = improve(x, method, f"stage{stage}_{block}_improve")
        features[2 ** (stage + 1)] = x
    return {**features, 32: keras2.layers.ReLU(name="relu")(norm("last")(x))}


def grouped_transition(groups: int, shuffled: bool) -> Transition:
    """A transition whose 1x1 convolution has groups, before which the channels may be shuffled between 16 groups."""

    def between(x: KerasTensor, filters: int, name: str) -> KerasTensor:
        layers = keras2.layers
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(norm(name)(x))
        x = layers.ReLU(name=f"{name}_relu")(x)
        if shuffled:
            height, width, channels = x.shape[1:]
            x = layers.Reshape((height, width, _SHUFFLE, channels // _SHUFFLE), name=f"{name}_groups")(x)
            x = layers.Permute((1, 2, 4, 3), name=f"{name}_shuffle")(x)
            x = layers.Reshape((height, width, channels), name=f"{name}_shuffled")(x)
        return real_conv(filters, 1, name, groups=groups)(x)

    return between
