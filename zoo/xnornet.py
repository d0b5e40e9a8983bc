"""XNOR-Net's AlexNet: the first and the last layer float, the dense layers between as convolutions."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.alexnet_layers import binary_body, norm, pool


def _classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    layers, x = keras2.layers, features[32]
    for index in (6, 7):
        # A filter as large as the map is a dense layer: 6x6 for images of 224x224, and then 1x1.
        size, name = x.shape[1:3], f"conv{index}"
        x = norm(name)(method.conv2d(x, 4096, size, padding="valid", name=name))
    x = layers.Flatten(name="flatten")(layers.ReLU(name="relu")(x))
    return layers.Dense(num_classes, use_bias=False, name="logits")(x)


@register(
    "xnornet",
    summary="a real 11x11 convolution of 96 filters, four binary ones (256, 384, 384, 256), three poolings, two binary "
    "convolutions of 4096 filters that see the whole map, a real dense layer",
    source="Rastegari et al., XNOR-Net, ECCV 2016 (AlexNet, without the input's scale map)",
    smallest_input=57,
    classifier=_classifier,
)
def xnornet(method: Method, image: KerasTensor) -> Features:
    """A float convolution and four binary ones."""
    layers = keras2.layers
    x = layers.Conv2D(96, 11, strides=4, padding="same", use_bias=False, name="conv1")(image)
    x = pool("conv1")(layers.ReLU(name="conv1_relu")(norm("conv1")(x)))
    return {32: binary_body(norm("conv1_pool")(x), method, filters=256)}
