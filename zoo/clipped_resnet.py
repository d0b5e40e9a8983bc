"""ResNets as IR-Net, ReCU and AdaBin train them: a shortcut around every binary convolution, an activation after it.

IR-Net and ReCU clip what a convolution and its shortcut add up to; AdaBin's method has a Maxout there.

ResNet-20 is for images of 32x32; its shortcuts have no weights. ResNet-18 is for ImageNet. Both have a batch norm
before the last layer, pad as PyTorch does, and take the authors' checkpoints (`zoo.load_weights`).
"""

from collections.abc import Callable

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.symmetric_layers import binary_branch, max_pool, norm, normalized_classifier, real_conv
from mobile_bnn.zoo.network_options import Padded

# From (input, filters, name) to half of its height and width, with that many channels.
Shortcut = Callable[[KerasTensor, int, str], KerasTensor]
# From (input, name of what it follows) to its output.
Activation = Callable[[KerasTensor, str], KerasTensor]
_IR_NET = "Qin et al., Forward and Backward Information Retention for Accurate Binary Neural Networks, CVPR 2020"
_ADA_BIN = "Tu, Chen, Ren, Wang, AdaBin: Improving Binary Neural Networks with Adaptive Binary Sets, ECCV 2022"
_RECU = "Xu et al., ReCU: Reviving the Dead Weights in Binary Neural Networks, ICCV 2021"


def _clipped(x: KerasTensor, name: str) -> KerasTensor:
    from mobile_bnn.layers.hard_tanh import HardTanh

    return HardTanh(name=f"{name}_clip")(x)


def _widened(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """Zeros in new channels, as many before the old ones as after them."""
    around = (filters - x.shape[-1]) // 2
    # The layer pads the last two dimensions if it takes them for height and width; the last one is that of channels.
    pad = keras2.layers.ZeroPadding2D((0, around), data_format="channels_first", name=f"{name}_pad")
    return pad(x)


def _every_second(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """Every second pixel: a mean of one."""
    return _widened(keras2.layers.AveragePooling2D(1, strides=2, name=f"{name}_pool")(x), filters, name)


def _mean(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    return _widened(keras2.layers.AveragePooling2D(2, name=f"{name}_pool")(x), filters, name)


def _convolution(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    return norm(name)(real_conv(x, filters, 1, name, strides=2))


def _maxout(x: KerasTensor, name: str) -> KerasTensor:
    from mobile_bnn.layers.ada_bin import Maxout

    return Maxout(name=f"{name}_maxout")(x)


def _none(x: KerasTensor, name: str) -> KerasTensor:
    return x


def _stages(
    x: KerasTensor,
    method: Method,
    filters: tuple[int, ...],
    layers: int,
    stride: int,
    shortcut: Shortcut,
    activation: Activation = _clipped,
) -> Features:
    """Stages of binary 3x3 convolutions; every stage but the first begins by halving height and width."""
    features = Features()
    for stage, channels in enumerate(filters, 1):
        for layer in range(1, layers + 1):
            strides, name = 2 if layer == 1 and stage > 1 else 1, f"stage{stage}_{layer}"
            y = binary_branch(x, method, channels, strides, name)
            around = x if strides == 1 else shortcut(x, channels, f"{name}_shortcut")
            x = activation(method.shortcut(around, y, name=f"{name}_add"), name)
        features[stride * 2 ** (stage - 1)] = x
    return features


def _resnet20(
    name: str,
    summary: str,
    source: str,
    top1: float,
    shortcut: Shortcut,
    activations: tuple[Activation, Activation] = (_clipped, _clipped),
) -> None:
    """Registers one; `activations` follow the stem and every sum."""

    @register(
        name,
        summary=f"a real 3x3 convolution, 18 binary ones (6 each of 16, 32, 64 filters) with a shortcut around each: "
        f"{summary}; a real dense layer after a batch norm",
        source=source,
        input_shape=(32, 32, 3),
        num_classes=10,
        smallest_input=4,
        classifier=normalized_classifier,
        offers=SHORTCUT,
        options=Padded,
        pad_value=0.0,
        published=(Published(dataset="CIFAR-10", network="ResNet-20", top1=top1, source="the authors' README"),),
    )
    def resnet20(method: Method, image: KerasTensor) -> Features:
        x = activations[0](norm("stem")(real_conv(image, 16, 3, "stem")), "stem")
        return _stages(x, method, (16, 32, 64), 6, 1, shortcut, activations[1])


def _resnet18(name: str, source: str, top1: float) -> None:
    @register(
        name,
        summary="a real 7x7 convolution, 16 binary 3x3 ones (4 each of 64, 128, 256, 512 filters) with a shortcut "
        "around each, real 1x1 convolutions where it halves the map; a real dense layer after a batch norm",
        source=source,
        classifier=normalized_classifier,
        offers=SHORTCUT,
        options=Padded,
        pad_value=0.0,
        published=(Published(dataset="ImageNet", network="ResNet-18", top1=top1, source="the authors' README"),),
    )
    def resnet18(method: Method, image: KerasTensor) -> Features:
        x = _clipped(norm("stem")(real_conv(image, 64, 7, "stem", strides=2)), "stem")
        return _stages(max_pool(x, "stem"), method, (64, 128, 256, 512), 4, 4, _convolution)


_resnet20(
    "irnet_resnet20", "every second pixel of it where the map is halved", f"{_IR_NET} (ResNet-20)", 86.5, _every_second
)
_resnet20("recu_resnet20", "means of 2x2 pixels where the map is halved", f"{_RECU} (ResNet-20)", 87.5, _mean)
_resnet20(
    "adabin_resnet20",
    "every second pixel of it where the map is halved",
    f"{_ADA_BIN} (ResNet-20)",
    88.1,
    _every_second,
    (_maxout, _none),
)
_resnet18("irnet_resnet18", f"{_IR_NET} (ResNet-18)", 58.1)
_resnet18("recu_resnet18", f"{_RECU} (ResNet-18)", 61.0)
