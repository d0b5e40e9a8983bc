"""BinaryNet, also called VGG-small: the network of Larq's CIFAR-10 tutorial."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks import real_layers
from mobile_bnn.zoo.network_options import Chain


def _norm(name: str) -> KerasLayer:
    return real_layers.norm(name, momentum=0.999, scale=False)


def _classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    x = keras2.layers.Flatten(name="flatten")(features[8])
    for index, units in enumerate((1024, 1024, num_classes), 1):
        name = f"dense{index}"
        x = _norm(name)(method.dense(x, units, name=name))
    return x


@register(
    "binary_net",
    summary="six 3x3 convolutions (128, 128, 256, 256, 512, 512; the first without padding), three poolings, three "
    "dense layers (1024, 1024)",
    source="Hubara et al., Binarized Neural Networks, NeurIPS 2016; Larq's CIFAR-10 tutorial",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=10,
    classifier=_classifier,
    options=Chain,
)
def binary_net(method: Method, image: KerasTensor, network: Chain) -> Features:
    """Six convolutions with binary weights, all but the first of binary maps."""
    x = method.conv2d(image, network.widened(128), 3, padding="valid", binary_input=False, name="conv1")
    x = _norm("conv1")(x)
    features, stride = Features(), 1
    for index, (filters, pool) in enumerate(((128, True), (256, False), (256, True), (512, False), (512, True)), 2):
        name = f"conv{index}"
        x = method.conv2d(x, network.widened(filters), 3, name=name)
        after = [_norm(name)]
        if pool:
            after.insert(int(network.order == "norm_pool"), keras2.layers.MaxPooling2D(2, name=f"{name}_pool"))
            stride *= 2
        for layer in after:
            x = layer(x)
        features[stride] = x
    return features
