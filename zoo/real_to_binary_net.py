"""Real-to-Binary Net: a ResNet-18 whose binary convolutions are scaled by what their input looks like."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape
from mobile_bnn.zoo.real_layers import norm, probabilities, stem
from mobile_bnn.zoo.shortcut_stages import binary_conv, binary_stages

_REDUCTION = 8


def _prelu(name: str) -> Any:
    from mobile_bnn.legacy_keras import tf

    return tf.keras.layers.PReLU(shared_axes=[1, 2], name=f"{name}_prelu")


def _scales(x: Any, filters: int, name: str) -> Any:
    """A factor in (0, 1) for each filter, from the means of the input's channels: [N, 1, 1, filters]."""
    from mobile_bnn.legacy_keras import tf

    layers = tf.keras.layers
    options = {"use_bias": False, "kernel_initializer": "he_normal"}
    y = layers.GlobalAveragePooling2D(name=f"{name}_mean")(x)
    y = layers.Dense(x.shape[-1] // _REDUCTION, activation="relu", name=f"{name}_reduce", **options)(y)
    y = layers.Dense(filters, activation="sigmoid", name=f"{name}_expand", **options)(y)
    return layers.Reshape((1, 1, filters), name=f"{name}_scales")(y)


def _scaled_branch(x: Any, method: Method, filters: int, strides: int, name: str) -> Any:
    from mobile_bnn.legacy_keras import tf

    x = norm(name)(x)
    y = binary_conv(method, filters, strides, name)(x)
    y = tf.keras.layers.Multiply(name=f"{name}_scaled")([y, _scales(x, filters, name)])
    return _prelu(name)(y)


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import tf

    image = tf.keras.layers.Input(input_shape, name="image")
    x = stem(image, _prelu("stem"))
    x = binary_stages(x, method, filters=(64, 128, 256, 512), layers=4, branch=_scaled_branch)
    return tf.keras.Model(image, probabilities(x, num_classes), name="real_to_binary_net")


ARCHITECTURE = Architecture(
    name="real_to_binary_net",
    summary="a real 7x7 convolution, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters), each between a batch "
    "norm and a PReLU, scaled by two small dense layers of its input's means, and with a real shortcut around it",
    source="Martinez et al., Training Binary Neural Networks with Real-to-Binary Convolutions, ICLR 2020",
    input_shape=(224, 224, 3),
    num_classes=1000,
    smallest_input=32,
    build=_build,
)
