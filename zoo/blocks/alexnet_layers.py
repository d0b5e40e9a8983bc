"""The layers of the binary AlexNets."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.blocks import real_layers


def norm(name: str, epsilon: float = 1e-3) -> KerasLayer:
    """A batch normalization without a scale, which a sign after it would not see."""
    return real_layers.norm(name, epsilon=epsilon, scale=False)


def pool(name: str, padding: str = "valid") -> KerasLayer:
    """An overlapping maximum pooling; named after the layer before it."""
    return keras2.layers.MaxPooling2D(3, strides=2, padding=padding, name=f"{name}_pool")


def binary_body(x: KerasTensor, method: Method, filters: int, epsilon: float = 1e-3) -> KerasTensor:
    """The second to the fifth convolution, the second of `filters` filters; batch norms stand after the poolings."""
    for index, (channels, size) in enumerate(((filters, 5), (384, 3), (384, 3), (256, 3)), 2):
        name = f"conv{index}"
        x = method.conv2d(x, channels, size, name=name)
        if index in (2, 5):
            x = pool(name)(x)
        x = norm(name, epsilon)(x)
    return x
