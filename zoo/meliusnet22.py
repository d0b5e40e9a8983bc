"""MeliusNet with 22 blocks: each appends 64 binary channels to the map, and then improves them by 64 more."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.dense_stages import append, binary_channels, norm, transition
from mobile_bnn.zoo.blocks.real_layers import real_conv
from mobile_bnn.zoo.network_options import Padded

_BLOCKS = (4, 5, 4, 4)
_TRANSITIONS = (160, 224, 256)


def _stem(x: KerasTensor) -> KerasTensor:
    """Three float 3x3 convolutions, two of them in groups: cheaper than one of 7x7."""
    for index, (filters, strides, groups) in enumerate(((32, 2, 1), (32, 1, 4), (64, 1, 8)), 1):
        name = f"stem_{index}"
        x = norm(name)(real_conv(filters, 3, name, strides, groups)(x))
        x = keras2.layers.ReLU(name=f"{name}_relu")(x)
    return keras2.layers.MaxPooling2D(2, padding="same", name="stem_pool")(x)


def _improve(x: KerasTensor, method: Method, name: str) -> KerasTensor:
    """Adds the channels of a binary convolution to the last channels of the map."""
    layers = keras2.layers
    y = binary_channels(x, method, name)
    # The layer pads the last two dimensions if it takes them for height and width; the last one is that of channels.
    before = x.shape[-1] - y.shape[-1]
    pad = layers.ZeroPadding2D(((0, 0), (before, 0)), data_format="channels_first", name=f"{name}_pad")
    return layers.Add(name=f"{name}_add")([x, pad(y)])


@register(
    "meliusnet22",
    summary="a light real stem, 17 blocks (4, 5, 4, 4) of two binary 3x3 convolutions of 64 filters: the first one's "
    "channels are appended, the second one's added to them; real transitions",
    source="Bethge et al., MeliusNet: Can Binary Neural Networks Achieve MobileNet-level Accuracy?, arXiv:2001.05936",
    options=Padded,
    pad_value=0.0,
    published=(
        Published(dataset="ImageNet", network="MeliusNet-22", top1=62.4, source="Larq Zoo"),
        Published(dataset="ImageNet", network="MeliusNet-22", top1=63.6, source="the paper"),
    ),
)
def meliusnet22(method: Method, image: KerasTensor) -> Features:
    """Four stages of blocks."""
    x, features = _stem(image), Features()
    for stage, blocks in enumerate(_BLOCKS, 1):
        if stage > 1:
            x = transition(x, _TRANSITIONS[stage - 2], f"transition{stage - 1}")
        for block in range(1, blocks + 1):
            x = append(x, method, f"stage{stage}_{block}_dense")
            x = _improve(x, method, f"stage{stage}_{block}_improve")
        features[2 ** (stage + 1)] = x
    return {**features, 32: keras2.layers.ReLU(name="relu")(norm("last")(x))}
