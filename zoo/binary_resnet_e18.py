"""Binary ResNet-E with 18 layers: Bi-Real Net's shortcuts, and a batch norm in front of the first binary layer."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape
from mobile_bnn.zoo.real_layers import norm, probabilities, stem
from mobile_bnn.zoo.shortcut_stages import binary_stages


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import tf

    layers = tf.keras.layers
    image = layers.Input(input_shape, name="image")
    # What the ReLU leaves is nowhere negative: the norm gives the first signs their zero.
    x = norm("stem_pool")(stem(image, layers.ReLU(name="stem_relu")))
    x = binary_stages(x, method, filters=(64, 128, 256, 512), layers=4)
    x = probabilities(layers.ReLU(name="relu")(x), num_classes)
    return tf.keras.Model(image, x, name="binary_resnet_e18")


ARCHITECTURE = Architecture(
    name="binary_resnet_e18",
    summary="a real 7x7 convolution with a ReLU, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) with a real "
    "shortcut around each, a real dense layer",
    source="Bethge et al., Back to Simplicity: How to Train Accurate BNNs from Scratch?, arXiv:1906.08637, 2019",
    input_shape=(224, 224, 3),
    num_classes=1000,
    smallest_input=32,
    build=_build,
)
