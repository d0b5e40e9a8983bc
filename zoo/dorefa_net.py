"""DoReFa-Net's AlexNet: the first and the last layer real, batch norms in front of the poolings."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.alexnet import binary_conv, binary_dense, norm, pool
from mobile_bnn.zoo.architecture import Architecture, Shape


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import tf

    layers = tf.keras.layers
    image = layers.Input(input_shape, name="image")
    x = layers.Conv2D(96, 12, strides=4, name="conv1")(image)
    convolutions = ((256, 5, "same"), (384, 3, "same"), (384, 3, None), (256, 3, "valid"))
    for index, (filters, size, pooling) in enumerate(convolutions, 2):
        name = f"conv{index}"
        x = norm(name)(binary_conv(method, filters, size, name)(x))
        if pooling:
            x = pool(name, pooling)(x)
    x = layers.Flatten(name="flatten")(x)
    for name in ("dense1", "dense2"):
        x = norm(name)(binary_dense(method, 4096, name)(x))
    # The last layer reads what a quantizer of many bits would give: values in [0, 1].
    x = layers.ReLU(max_value=1.0, name="clip")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return tf.keras.Model(image, x, name="dorefa_net")


ARCHITECTURE = Architecture(
    name="dorefa_net",
    summary="a real 12x12 convolution of 96 filters, four binary ones (256, 384, 384, 256), three poolings, two binary "
    "dense layers (4096), a real dense layer",
    source="Zhou et al., DoReFa-Net, arXiv:1606.06160 (AlexNet)",
    input_shape=(224, 224, 3),
    num_classes=1000,
    smallest_input=44,
    build=_build,
)
