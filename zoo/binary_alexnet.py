"""Binary AlexNet: all weights binary, those of the first and the last layer too."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.alexnet import binary_body, binary_dense, norm, pool
from mobile_bnn.zoo.architecture import Architecture, Shape


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import larq, tf

    layers = tf.keras.layers
    image = layers.Input(input_shape, name="image")
    options = {"strides": 4, "padding": "same", "pad_values": method.pad_value, "use_bias": False}
    x = larq.layers.QuantConv2D(64, 11, **options, **method.weights(), name="conv1")(image)
    x = norm("conv1")(pool("conv1")(x))
    x = layers.Flatten(name="flatten")(binary_body(x, method, filters=192))
    for index, units in enumerate((4096, 4096, num_classes), 1):
        name = f"dense{index}"
        x = norm(name)(binary_dense(method, units, name)(x))
    x = layers.Activation("softmax", name="probabilities")(x)
    return tf.keras.Model(image, x, name="binary_alexnet")


ARCHITECTURE = Architecture(
    name="binary_alexnet",
    summary="an 11x11 convolution of 64 filters, four binary ones (192, 384, 384, 256), three poolings, three binary "
    "dense layers (4096, 4096)",
    source="Hubara et al., Binarized Neural Networks, NeurIPS 2016 (AlexNet)",
    input_shape=(224, 224, 3),
    num_classes=1000,
    smallest_input=57,
    build=_build,
)
