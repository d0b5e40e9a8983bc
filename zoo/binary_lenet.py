"""The small network of Larq's MNIST tutorial: three convolutions, two dense layers."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.network_options import Chain


def _norm(name: str) -> KerasLayer:
    """As in the tutorial: Keras's slow momentum, no scale."""
    return keras2.layers.BatchNormalization(scale=False, name=name)


def _classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    x = keras2.layers.Flatten(name="flatten")(features[4])
    x = _norm("norm4")(method.dense(x, 64, name="dense1"))
    return _norm("norm5")(method.dense(x, num_classes, name="dense2"))


@register(
    "binary_lenet",
    summary="three 3x3 convolutions (32, 64, 64) and two dense layers (64, classes); fits 8x8 images too",
    source="Larq's MNIST tutorial",
    input_shape=(28, 28, 1),
    num_classes=10,
    smallest_input=4,
    classifier=_classifier,
    options=Chain,
)
def binary_lenet(method: Method, image: KerasTensor, network: Chain) -> Features:
    """Three convolutions with binary weights, the second and third of binary maps."""

    def pooled(x: KerasTensor, index: int) -> KerasTensor:
        layers = [keras2.layers.MaxPooling2D(2, name=f"pool{index}"), _norm(f"norm{index}")]
        for layer in layers if network.order == "pool_norm" else reversed(layers):
            x = layer(x)
        return x

    # The image itself stays real: binarizing it would throw most of it away.
    first = method.conv2d(image, network.widened(32), 3, binary_input=False, name="conv1")
    second = method.conv2d(pooled(first, 1), network.widened(64), 3, name="conv2")
    third = _norm("norm3")(method.conv2d(pooled(second, 2), network.widened(64), 3, name="conv3"))
    return {1: first, 2: second, 4: third}
