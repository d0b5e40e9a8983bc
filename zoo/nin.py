"""Network in Network, on which XNOR-Net's PyTorch port and BENN report CIFAR-10."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import register
from mobile_bnn.zoo.blocks.symmetric_layers import max_pool, norm, real_conv
from mobile_bnn.zoo.network_options import Padded

# Filters and sizes of the binary convolutions of each stage.
_STAGES = (((160, 1), (96, 1)), ((192, 5), (192, 1), (192, 1)), ((192, 3), (192, 1)))


@register(
    "nin",
    summary="a real 5x5 convolution of 192 filters, seven binary ones (160, 96, 192, 192, 192, 192, 192 filters; 5x5 "
    "and 3x3 where a stage begins, else 1x1), each between a batch norm and a ReLU, two poolings, a real dense layer",
    source="Lin et al., Network in Network, ICLR 2014, binary as in the PyTorch port of XNOR-Net (Rastegari et al., "
    "ECCV 2016)",
    input_shape=(32, 32, 3),
    num_classes=10,
    smallest_input=8,
    options=Padded,
    pad_value=0.0,
    published=(
        Published(dataset="CIFAR-10", network="NIN", top1=86.28, source="README of the PyTorch port of XNOR-Net"),
    ),
)
def nin(method: Method, image: KerasTensor) -> Features:
    """Three stages after a float convolution."""
    layers = keras2.layers
    x = layers.ReLU(name="stem_relu")(norm("stem")(real_conv(image, 192, 5, "stem")))
    features = Features()
    for stage, convolutions in enumerate(_STAGES, 1):
        for index, (filters, size) in enumerate(convolutions, 1):
            name = f"stage{stage}_{index}"
            x = method.conv2d(norm(name)(x), filters, size, name=f"{name}_conv")
            x = layers.ReLU(name=f"{name}_relu")(x)
        features[2 ** (stage - 1)] = x
        if stage == 1:
            x = max_pool(x, f"stage{stage}")
        elif stage == 2:
            x = layers.AveragePooling2D(3, strides=2, padding="same", name=f"stage{stage}_pool")(x)
    return {**features, 4: norm("last")(features[4])}
