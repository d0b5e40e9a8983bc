"""The small network of Larq's MNIST tutorial: three convolutions, two dense layers."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import larq, tf

    layers = tf.keras.layers
    conv, dense = larq.layers.QuantConv2D, larq.layers.QuantDense
    pad = {"padding": "same", "pad_values": method.pad_value}

    def norm(name: str) -> Any:
        return layers.BatchNormalization(scale=False, name=name)

    stack = [
        layers.Input(input_shape, name="image"),
        # The image itself stays real: binarizing it would throw most of it away.
        conv(32, 3, **pad, **method.weights(), use_bias=False, name="conv1"),
        layers.MaxPooling2D(2, name="pool1"),
        norm("norm1"),
        conv(64, 3, **method.convolution(), use_bias=False, name="conv2"),
        layers.MaxPooling2D(2, name="pool2"),
        norm("norm2"),
        conv(64, 3, **method.convolution(), use_bias=False, name="conv3"),
        norm("norm3"),
        layers.Flatten(name="flatten"),
        dense(64, **method.layer(), use_bias=False, name="dense1"),
        norm("norm4"),
        dense(num_classes, **method.layer(), use_bias=False, name="dense2"),
        norm("norm5"),
        layers.Activation("softmax", name="probabilities"),
    ]
    return tf.keras.Sequential(stack, name="binary_lenet")


ARCHITECTURE = Architecture(
    name="binary_lenet",
    summary="three 3x3 convolutions (32, 64, 64) and two dense layers (64, classes); fits 8x8 images too",
    source="Larq's MNIST tutorial",
    input_shape=(28, 28, 1),
    num_classes=10,
    smallest_input=4,
    build=_build,
)
