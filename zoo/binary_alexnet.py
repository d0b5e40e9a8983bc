"""Binary AlexNet: all weights binary, those of the first and the last layer too."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.alexnet_layers import binary_body, norm, pool
from mobile_bnn.zoo.network_options import Padded


def _classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    x = keras2.layers.Flatten(name="flatten")(features[32])
    for index, units in enumerate((4096, 4096, num_classes), 1):
        name = f"dense{index}"
        x = norm(name)(method.dense(x, units, name=name))
    return x


@register(
    "binary_alexnet",
    summary="an 11x11 convolution of 64 filters, four binary ones (192, 384, 384, 256), three poolings, three binary "
    "dense layers (4096, 4096)",
    source="Hubara et al., Binarized Neural Networks, NeurIPS 2016 (AlexNet)",
    smallest_input=57,
    classifier=_classifier,
    options=Padded,
    pad_value=0.0,
    published=(Published(dataset="ImageNet", network="AlexNet", top1=36.3, source="Larq Zoo"),),
)
def binary_alexnet(method: Method, image: KerasTensor) -> Features:
    """A convolution of the image with binary weights, and four binary ones."""
    x = method.conv2d(image, 64, 11, strides=4, binary_input=False, name="conv1")
    x = norm("conv1")(pool("conv1")(x))
    return {32: binary_body(x, method, filters=192)}
