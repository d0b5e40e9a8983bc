"""Binary ResNet-E with 18 layers: Bi-Real Net's shortcuts, and a batch norm before the first binary layer."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.real_layers import norm, stem
from mobile_bnn.zoo.blocks.shortcut_stages import binary_stages
from mobile_bnn.zoo.network_options import Residual


@register(
    "binary_resnet_e18",
    summary="a real 7x7 convolution with a ReLU, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) with a real "
    "shortcut around each, a real dense layer",
    source="Bethge et al., Back to Simplicity: How to Train Accurate BNNs from Scratch?, arXiv:1906.08637, 2019",
    offers=SHORTCUT,
    options=Residual,
)
def binary_resnet_e18(method: Method, image: KerasTensor, network: Residual) -> Features:
    """Four stages after ResNet's stem."""
    # What the ReLU leaves is nowhere negative: the norm gives the first signs their zero.
    x = norm("stem_pool")(stem(image, keras2.layers.ReLU(name="stem_relu")))
    features = binary_stages(x, method, filters=(64, 128, 256, 512), layers=4, stride=4, network=network)
    return {**features, 32: keras2.layers.ReLU(name="relu")(features[32])}
