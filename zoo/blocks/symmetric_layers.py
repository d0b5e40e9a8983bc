"""Layers as PyTorch's networks have them: strides with the same padding on both sides, batch norms with its epsilon."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.blocks import real_layers

_SMALL = 64  # pixels: images below have a stem without a stride


def is_small(image: KerasTensor) -> bool:
    """Whether a side of an image is known and below 64 pixels."""
    known = [size for size in image.shape[1:3] if size is not None]
    return bool(known) and min(known) < _SMALL


def norm(name: str) -> KerasLayer:
    """A batch normalization, named after the layer that it follows."""
    return real_layers.norm(name, epsilon=1e-5)


def real_conv(
    x: KerasTensor, filters: int, size: int, name: str, strides: int = 1, groups: int = 1, bias: bool = False
) -> KerasTensor:
    """A float convolution of an odd size with size // 2 zeros on every side."""
    if strides > 1 and size > 1:
        from mobile_bnn.layers.symmetric_padding import pad_evenly

        x = pad_evenly(x, size, name)
    return keras2.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="valid" if strides > 1 else "same",
        groups=groups,
        use_bias=bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def prelu(x: KerasTensor, name: str) -> KerasTensor:
    """A PReLU with a slope of each channel, 1/4 at the start."""
    quarter = keras2.tf.keras.initializers.Constant(0.25)
    return keras2.layers.PReLU(quarter, shared_axes=[1, 2], name=f"{name}_prelu")(x)


def normalized_classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    """A mean over all pixels, a batch norm and a dense layer."""
    x = keras2.layers.GlobalAveragePooling2D(name="pool")(features[max(features)])
    return keras2.layers.Dense(num_classes, name="logits")(norm("pool")(x))


def max_pool(x: KerasTensor, name: str) -> KerasTensor:
    """The maximum of 3x3 pixels with a stride of 2 and nothing around the map."""
    from mobile_bnn.layers.symmetric_padding import SymmetricMaxPooling2D

    return SymmetricMaxPooling2D(3, strides=2, name=f"{name}_pool")(x)


def mean_pool(x: KerasTensor, name: str) -> KerasTensor:
    """The mean of 2x2 pixels with a stride of 2."""
    return keras2.layers.AveragePooling2D(2, padding="same", name=f"{name}_pool")(x)


def stem(image: KerasTensor, activation: KerasLayer | None = None) -> KerasTensor:
    """ResNet's: a 7x7 convolution of 64 filters and a maximum pooling, from [N, H, W, C] to [N, H / 4, W / 4, 64]."""
    x = norm("stem")(real_conv(image, 64, 7, "stem", strides=2))
    if activation is not None:
        x = activation(x)
    return max_pool(x, "stem")


def small_stem(image: KerasTensor, filters: int, activation: KerasLayer | None = None) -> KerasTensor:
    """For small images: a 3x3 convolution, of the image's height and width."""
    x = norm("stem")(real_conv(image, filters, 3, "stem"))
    return x if activation is None else activation(x)


def binary_branch(x: KerasTensor, method: Method, filters: int, strides: int, name: str) -> KerasTensor:
    """A binary 3x3 convolution and a batch norm, for `shortcut_stages.binary_stages`."""
    y = method.conv2d(x, filters, 3, strides=strides, padding="symmetric", name=f"{name}_conv")
    return norm(f"{name}_conv")(y)
