"""XNOR-Net's AlexNet: the first and the last layer real, the dense layers between as convolutions."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.alexnet import binary_body, norm, pool
from mobile_bnn.zoo.architecture import Architecture, Shape


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import larq, tf

    layers = tf.keras.layers
    image = layers.Input(input_shape, name="image")
    x = layers.Conv2D(96, 11, strides=4, padding="same", use_bias=False, name="conv1")(image)
    x = pool("conv1")(layers.ReLU(name="conv1_relu")(norm("conv1")(x)))
    x = binary_body(norm("conv1_pool")(x), method, filters=256)
    for index in (6, 7):
        # A filter as large as the map is a dense layer: 6x6 for images of 224x224, and then 1x1.
        size, name = x.shape[1:3], f"conv{index}"
        x = norm(name)(larq.layers.QuantConv2D(4096, size, **method.layer(), use_bias=False, name=name)(x))
    x = layers.Flatten(name="flatten")(layers.ReLU(name="relu")(x))
    x = layers.Dense(num_classes, use_bias=False, activation="softmax", name="probabilities")(x)
    return tf.keras.Model(image, x, name="xnornet")


ARCHITECTURE = Architecture(
    name="xnornet",
    summary="a real 11x11 convolution of 96 filters, four binary ones (256, 384, 384, 256), three poolings, two binary "
    "convolutions of 4096 filters that see the whole map, a real dense layer",
    source="Rastegari et al., XNOR-Net, ECCV 2016 (AlexNet, without the input's scale map)",
    input_shape=(224, 224, 3),
    num_classes=1000,
    smallest_input=57,
    build=_build,
)
