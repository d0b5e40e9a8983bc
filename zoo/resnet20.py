"""ResNet-20 for small images, with a float shortcut around every binary convolution."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.real_layers import norm, real_conv
from mobile_bnn.zoo.blocks.shortcut_stages import binary_stages
from mobile_bnn.zoo.network_options import Residual


@register(
    "resnet20",
    summary="a real 3x3 convolution, 18 binary ones (6 each of 16, 32, 64 filters) with a real shortcut around each, "
    "a real dense layer",
    source="He et al., Deep Residual Learning, CVPR 2016, with the shortcuts of Bi-Real Net (Liu et al., ECCV 2018)",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=4,
    offers=SHORTCUT,
    options=Residual,
)
def resnet20(method: Method, image: KerasTensor, network: Residual) -> Features:
    """Three stages after one float convolution."""
    x = norm("stem")(real_conv(16, 3, "stem")(image))
    features = binary_stages(x, method, filters=(16, 32, 64), layers=6, stride=1, network=network)
    return {**features, 4: keras2.layers.ReLU(name="relu")(features[4])}
