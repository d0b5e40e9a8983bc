"""BinaryNet, also called VGG-small: the network of Larq's CIFAR-10 tutorial."""

from typing import Any

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape


def _build(method: Method, input_shape: Shape, num_classes: int) -> Any:
    from mobile_bnn.legacy_keras import larq, tf

    layers = tf.keras.layers

    def norm(name: str) -> Any:
        return layers.BatchNormalization(momentum=0.999, scale=False, name=f"{name}_norm")

    stack = [
        layers.Input(input_shape, name="image"),
        larq.layers.QuantConv2D(128, 3, **method.weights(), use_bias=False, name="conv1"),
        norm("conv1"),
    ]
    for index, (filters, pool) in enumerate(((128, True), (256, False), (256, True), (512, False), (512, True)), 2):
        name = f"conv{index}"
        stack.append(larq.layers.QuantConv2D(filters, 3, **method.convolution(), use_bias=False, name=name))
        if pool:
            stack.append(layers.MaxPooling2D(2, name=f"{name}_pool"))
        stack.append(norm(name))
    stack.append(layers.Flatten(name="flatten"))
    for index, units in enumerate((1024, 1024, num_classes), 1):
        name = f"dense{index}"
        stack += [larq.layers.QuantDense(units, **method.layer(), use_bias=False, name=name), norm(name)]
    stack.append(layers.Activation("softmax", name="probabilities"))
    return tf.keras.Sequential(stack, name="binary_net")


ARCHITECTURE = Architecture(
    name="binary_net",
    summary="six 3x3 convolutions (128, 128, 256, 256, 512, 512; the first without padding), three poolings, three "
    "dense layers (1024, 1024)",
    source="Hubara et al., Binarized Neural Networks, NeurIPS 2016; Larq's CIFAR-10 tutorial",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=10,
    build=_build,
)
