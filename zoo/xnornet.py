"""XNOR-Net's AlexNet: the first and the last layer float, the dense layers between as convolutions."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.alexnet_layers import binary_body, norm, pool
from mobile_bnn.zoo.network_options import Padded

# Of the batch norms in Larq Zoo: that of the image's convolution, those before signs, and the last one.
_FIRST, _BODY, _LAST = 1e-5, 1e-4, 1e-3


def _classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    layers, x = keras2.layers, features[32]
    for index, epsilon in ((6, _BODY), (7, _LAST)):
        # A filter as large as the map is a dense layer: 6x6 for images of 224x224, and then 1x1.
        size, name = x.shape[1:3], f"conv{index}"
        x = norm(name, epsilon)(method.conv2d(x, 4096, size, padding="valid", name=name))
    x = layers.Flatten(name="flatten")(layers.ReLU(name="relu")(x))
    return layers.Dense(num_classes, use_bias=False, name="logits")(x)


@register(
    "xnornet",
    summary="a real 11x11 convolution of 96 filters, four binary ones (256, 384, 384, 256), three poolings, two binary "
    "convolutions of 4096 filters that see the whole map, a real dense layer",
    source="Rastegari et al., XNOR-Net, ECCV 2016 (AlexNet, without the input's scale map)",
    smallest_input=57,
    classifier=_classifier,
    options=Padded,
    pad_value=0.0,
    published=(Published(dataset="ImageNet", network="AlexNet", top1=44.96, source="Larq Zoo"),),
)
def xnornet(method: Method, image: KerasTensor) -> Features:
    """A float convolution and four binary ones."""
    layers = keras2.layers
    x = layers.Conv2D(96, 11, strides=4, padding="same", use_bias=False, name="conv1")(image)
    x = pool("conv1")(layers.ReLU(name="conv1_relu")(norm("conv1", _FIRST)(x)))
    return {32: binary_body(norm("conv1_pool", _BODY)(x), method, filters=256, epsilon=_BODY)}
