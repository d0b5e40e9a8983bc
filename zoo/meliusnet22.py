"""MeliusNet with 22 blocks: each appends 64 binary channels to the map, and then improves them by 64 more."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape
from mobile_bnn.zoo.dense_stages import append, binary_channels, transition
from mobile_bnn.zoo.real_layers import norm, probabilities, real_conv

_BLOCKS = (4, 5, 4, 4)
_TRANSITIONS = (160, 224, 256)


def _stem(x: Any) -> Any:
    """Three real 3x3 convolutions, two of them in groups: cheaper than one of 7x7."""
    from mobile_bnn.legacy_keras import tf

    for index, (filters, strides, groups) in enumerate(((32, 2, 1), (32, 1, 4), (64, 1, 8)), 1):
        name = f"stem_{index}"
        x = norm(name)(real_conv(filters, 3, name, strides, groups)(x))
        x = tf.keras.layers.ReLU(name=f"{name}_relu")(x)
    return tf.keras.layers.MaxPooling2D(2, padding="same", name="stem_pool")(x)


def _improve(x: Any, method: Method, name: str) -> Any:
    """Adds the channels of a binary convolution to the last channels of the map."""
    from mobile_bnn.legacy_keras import tf

    y = binary_channels(x, method, name)
    # The layer pads the last two dimensions if it takes them for height and width; the last one is that of channels.
    before = x.shape[-1] - y.shape[-1]
    pad = tf.keras.layers.ZeroPadding2D(((0, 0), (before, 0)), data_format="channels_first", name=f"{name}_pad")
    return tf.keras.layers.Add(name=f"{name}_add")([x, pad(y)])


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import tf

    image = tf.keras.layers.Input(input_shape, name="image")
    x = _stem(image)
    for stage, blocks in enumerate(_BLOCKS, 1):
        if stage > 1:
            x = transition(x, _TRANSITIONS[stage - 2], f"transition{stage - 1}")
        for block in range(1, blocks + 1):
            x = append(x, method, f"stage{stage}_{block}_dense")
            x = _improve(x, method, f"stage{stage}_{block}_improve")
    x = tf.keras.layers.ReLU(name="relu")(norm("last")(x))
    return tf.keras.Model(image, probabilities(x, num_classes), name="meliusnet22")


ARCHITECTURE = Architecture(
    name="meliusnet22",
    summary="a light real stem, 17 blocks (4, 5, 4, 4) of two binary 3x3 convolutions of 64 filters: the first one's "
    "channels are appended, the second one's added to them; real transitions",
    source="Bethge et al., MeliusNet: Can Binary Neural Networks Achieve MobileNet-level Accuracy?, arXiv:2001.05936",
    input_shape=(224, 224, 3),
    num_classes=1000,
    smallest_input=32,
    build=_build,
)
