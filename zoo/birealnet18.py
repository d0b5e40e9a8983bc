"""Bi-Real Net with 18 layers: a ResNet-18 with a real-valued shortcut around every binary convolution."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape
from mobile_bnn.zoo.real_layers import probabilities, stem
from mobile_bnn.zoo.shortcut_stages import binary_stages


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import tf

    image = tf.keras.layers.Input(input_shape, name="image")
    x = binary_stages(stem(image), method, filters=(64, 128, 256, 512), layers=4)
    return tf.keras.Model(image, probabilities(x, num_classes), name="birealnet18")


ARCHITECTURE = Architecture(
    name="birealnet18",
    summary="a real 7x7 convolution, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) with a real shortcut "
    "around each, a real dense layer",
    source="Liu et al., Bi-Real Net, ECCV 2018 (18 layers)",
    input_shape=(224, 224, 3),
    num_classes=1000,
    smallest_input=32,
    build=_build,
)
