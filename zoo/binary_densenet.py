"""BinaryDenseNet in four sizes: every binary layer reads all channels that were made before it, and adds 64."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape
from mobile_bnn.zoo.dense_stages import append, transition
from mobile_bnn.zoo.real_layers import norm, probabilities, stem


def _build(
    name: str,
    layers_of: Sequence[int],
    transitions: Sequence[int],
    dilations: Sequence[int],
    method: Method,
    input_shape: Shape,
    num_classes: int,
) -> Any:
    """Builds a network whose stage i has layers_of[i] binary layers; transitions[i] filters lead to the next stage."""
    from mobile_bnn.legacy_keras import tf

    layers = tf.keras.layers
    image = layers.Input(input_shape, name="image")
    x = stem(image, layers.ReLU(name="stem_relu"))
    for stage, (count, dilation) in enumerate(zip(layers_of, dilations, strict=True), 1):
        if stage > 1:
            # A dilated stage sees as far as a pooled one would, and keeps the map's size.
            x = transition(x, transitions[stage - 2], f"transition{stage - 1}", pooled=dilation == 1)
        for layer in range(1, count + 1):
            x = append(x, method, f"stage{stage}_{layer}", dilation)
    x = layers.ReLU(name="relu")(norm("last")(x))
    return tf.keras.Model(image, probabilities(x, num_classes), name=name)


def _architecture(
    name: str, layers_of: Sequence[int], transitions: Sequence[int], dilations: Sequence[int] = (1, 1, 1, 1)
) -> Architecture:
    dilated = f", dilated by {', '.join(map(str, dilations))}" if max(dilations) > 1 else ""
    return Architecture(
        name=name,
        summary=f"a real 7x7 convolution, {sum(layers_of)} binary 3x3 ones ({', '.join(map(str, layers_of))} of 64 "
        f"filters{dilated}), each appended to the channels that it reads, real transitions",
        source="Bethge et al., Back to Simplicity: How to Train Accurate BNNs from Scratch?, arXiv:1906.08637, 2019",
        input_shape=(224, 224, 3),
        num_classes=1000,
        smallest_input=32,
        build=partial(_build, name, layers_of, transitions, dilations),
    )


ARCHITECTURES = (
    _architecture("binary_densenet28", layers_of=(6, 6, 6, 5), transitions=(160, 192, 256)),
    _architecture("binary_densenet37", layers_of=(6, 8, 12, 6), transitions=(128, 192, 256)),
    _architecture(
        "binary_densenet37_dilated", layers_of=(6, 8, 12, 6), transitions=(128, 192, 256), dilations=(1, 1, 2, 4)
    ),
    _architecture("binary_densenet45", layers_of=(6, 12, 14, 8), transitions=(160, 288, 288)),
)
