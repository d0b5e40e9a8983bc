"""ResNet-20 for small images, with a real-valued shortcut around every binary convolution."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import larq, tf

    layers = tf.keras.layers

    def norm(name: str) -> Any:
        return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")

    def real_conv(filters: int, size: int, name: str) -> Any:
        return layers.Conv2D(filters, size, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)

    def shortcut(x: Any, filters: int, strides: int, name: str) -> Any:
        if strides == 1 and x.shape[-1] == filters:
            return x
        x = layers.AveragePooling2D(strides, padding="same", name=f"{name}_pool")(x)
        return norm(name)(real_conv(filters, 1, name)(x))

    def binary_layer(x: Any, filters: int, strides: int, name: str) -> Any:
        y = larq.layers.QuantConv2D(
            filters, 3, strides=strides, **method.convolution(), use_bias=False, name=f"{name}_conv"
        )(x)
        y = norm(f"{name}_conv")(y)
        return layers.Add(name=f"{name}_add")([y, shortcut(x, filters, strides, f"{name}_shortcut")])

    image = layers.Input(input_shape, name="image")
    x = norm("stem")(real_conv(16, 3, "stem")(image))
    for stage, filters in enumerate((16, 32, 64), 1):
        for layer in range(1, 7):
            strides = 2 if layer == 1 and stage > 1 else 1
            x = binary_layer(x, filters, strides, f"stage{stage}_{layer}")
    x = layers.GlobalAveragePooling2D(name="pool")(layers.ReLU(name="relu")(x))
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
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
