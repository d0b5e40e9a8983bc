"""ResNet-20 for small images, with a real-valued shortcut around every binary convolution."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape
from mobile_bnn.zoo.real_layers import norm, probabilities, real_conv
from mobile_bnn.zoo.shortcut_stages import binary_stages


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import tf

    layers = tf.keras.layers
    image = layers.Input(input_shape, name="image")
    x = norm("stem")(real_conv(16, 3, "stem")(image))
    x = binary_stages(x, method, filters=(16, 32, 64), layers=6)
    x = probabilities(layers.ReLU(name="relu")(x), num_classes)
    return tf.keras.Model(image, x, name="resnet20")


ARCHITECTURE = Architecture(
    name="resnet20",
    summary="a real 3x3 convolution, 18 binary ones (6 each of 16, 32, 64 filters) with a real shortcut around each, "
    "a real dense layer",
    source="He et al., Deep Residual Learning, CVPR 2016, with the shortcuts of Bi-Real Net (Liu et al., ECCV 2018)",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=4,
    build=_build,
)
