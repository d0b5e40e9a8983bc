"""DoReFa-Net's AlexNet: the first and the last layer float, batch norms before the poolings."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.alexnet_layers import norm, pool
from mobile_bnn.zoo.network_options import Padded

_EPSILON = 1e-4


def _classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    layers = keras2.layers
    x = layers.Flatten(name="flatten")(features[32])
    for name in ("dense1", "dense2"):
        x = norm(name, _EPSILON)(method.dense(x, 4096, name=name))
    # The last layer reads what a quantizer of many bits would give: values in [0, 1].
    x = layers.ReLU(max_value=1.0, name="clip")(x)
    return layers.Dense(num_classes, name="logits")(x)


@register(
    "dorefa_net",
    summary="a real 12x12 convolution of 96 filters, four binary ones (256, 384, 384, 256), three poolings, two binary "
    "dense layers (4096), a real dense layer",
    source="Zhou et al., DoReFa-Net, arXiv:1606.06160 (AlexNet)",
    smallest_input=44,
    classifier=_classifier,
    options=Padded,
    pad_value=0.0,
    published=(Published(dataset="ImageNet", network="AlexNet", bits="1/2", top1=53.39, source="Larq Zoo"),),
)
def dorefa_net(method: Method, image: KerasTensor) -> Features:
    """A float convolution and four binary ones."""
    x = keras2.layers.Conv2D(96, 12, strides=4, name="conv1")(image)
    convolutions = ((256, 5, "same"), (384, 3, "same"), (384, 3, None), (256, 3, "valid"))
    for index, (filters, size, pooling) in enumerate(convolutions, 2):
        name = f"conv{index}"
        x = norm(name, _EPSILON)(method.conv2d(x, filters, size, name=name))
        if pooling:
            x = pool(name, pooling)(x)
    return {32: x}
