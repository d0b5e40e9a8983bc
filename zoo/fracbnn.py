"""FracBNN: MobileNetV1's order of layers, activations of 1 or 2 bits as each output needs, no float convolution.

The kernels are the method's; activations are the network's own: grids of 2 bits in convolutions, of which the second is
computed where the first makes an output large, and of 4 bits in shortcuts. The image is a thermometer of signs.
"""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks.mobile_body import CHANNELS, MobileOptions, mobile_body
from mobile_bnn.zoo.blocks.symmetric_layers import mean_pool, norm


def _convolution(x: KerasTensor, method: Method, filters: int, size: int, strides: int, name: str) -> KerasTensor:
    """A convolution with precision gating; a float one in a phase in which inputs are not binarized."""
    from mobile_bnn.layers.frac_bnn import GatedPrecisionConv2D

    options = method.layer_options()
    if options.pop("input_quantizer", None) is None:
        return method.conv2d(x, filters, size, strides=strides, padding="symmetric", name=name)
    return GatedPrecisionConv2D(filters, size, strides=strides, padding="same", use_bias=False, name=name, **options)(x)


def unit(x: KerasTensor, method: Method, filters: int, size: int, strides: int, name: str) -> KerasTensor:
    """A gated convolution, a PReLU between shifts, and a shortcut of 4 bits, between two batch norms.

    Args:
        x: float32 [batch, height, width, channels].
        method: makes the kernels.
        filters: output channels: those of x, or twice as many.
        size: of the filters.
        strides: of the convolution.
        name: of the layers.

    Returns:
        float32 [batch, height / strides, width / strides, filters], rounded up.
    """
    from mobile_bnn.layers.frac_bnn import SymmetricGrid
    from mobile_bnn.layers.react_net import ShiftedPReLU

    y = norm(f"{name}_conv")(_convolution(x, method, filters, size, strides, f"{name}_conv"))
    y = ShiftedPReLU(name=f"{name}_rprelu")(y)
    around = SymmetricGrid(4, name=f"{name}_shortcut")(x)
    if strides > 1:
        around = mean_pool(around, f"{name}_shortcut")
    if filters != x.shape[-1]:
        around = keras2.layers.Concatenate(name=f"{name}_shortcut_copies")([around, around])
    return norm(f"{name}_add")(method.shortcut(around, y, name=f"{name}_add"))


@register(
    "fracbnn",
    summary="a binary 3x3 convolution of a thermometer code of 96 channels, 13 blocks of a binary 3x3 and a 1x1 "
    "convolution of 2-bit activations, whose second bit counts where the first makes an output large, 32 to 1024 "
    "channels, with a shortcut of 4 bits around each",
    source="Zhang et al., FracBNN: Accurate and FPGA-Efficient Binary Neural Networks with Fractional Activations, "
    "FPGA 2021",
    smallest_input=16,
    offers=SHORTCUT,
    options=MobileOptions,
    pad_value=0.0,
    published=(
        Published(dataset="ImageNet", network="FracBNN", bits="1/1.4", top1=71.7, source="the authors' README"),
    ),
)
def fracbnn(method: Method, image: KerasTensor, network: MobileOptions) -> Features:
    """MobileNetV1's blocks after a binary stem."""
    from mobile_bnn.layers.frac_bnn import ThermometerCode

    def stem(image: KerasTensor, filters: int, strides: int) -> KerasTensor:
        code = ThermometerCode(name="code")(image)
        return norm("stem")(method.conv2d(code, filters, 3, strides=strides, padding="symmetric", name="stem"))

    def block(x: KerasTensor, filters: int, strides: int, index: int) -> KerasTensor:
        y = unit(x, method, x.shape[-1], 3, strides, f"block{index}_1")
        return unit(y, method, filters, 1, 1, f"block{index}_2")

    return mobile_body(image, CHANNELS, network, block, stem)
