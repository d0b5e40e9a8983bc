"""Binary ResNet-E with 18 layers: Bi-Real Net's shortcuts, and a batch norm before the first binary layer."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.real_layers import norm, stem
from mobile_bnn.zoo.blocks.shortcut_stages import binary_stages
from mobile_bnn.zoo.network_options import PaddedResidual

_EPSILON = 1e-5


@register(
    "binary_resnet_e18",
    summary="a real 7x7 convolution with a ReLU, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) with a real "
    "shortcut around each, a real dense layer",
    source="Bethge et al., Back to Simplicity: How to Train Accurate BNNs from Scratch?, arXiv:1906.08637, 2019",
    offers=SHORTCUT,
    options=PaddedResidual,
    pad_value=0.0,
    published=(Published(dataset="ImageNet", network="ResNetE-18", top1=58.32, source="Larq Zoo"),),
)
def binary_resnet_e18(method: Method, image: KerasTensor, network: PaddedResidual) -> Features:
    """Four stages after ResNet's stem."""
    # What the ReLU leaves is nowhere negative: the norm gives the first signs their zero.
    x = norm("stem_pool", epsilon=_EPSILON)(stem(image, keras2.layers.ReLU(name="stem_relu"), _EPSILON))
    filters = (64, 128, 256, 512)
    features = binary_stages(x, method, filters, layers=4, stride=4, network=network, epsilon=_EPSILON)
    return {**features, 32: keras2.layers.ReLU(name="relu")(features[32])}
