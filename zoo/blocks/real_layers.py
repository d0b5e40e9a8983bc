"""The float layers that architectures share: batch norm, convolution, stem."""

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.typing import KerasLayer, KerasTensor


def norm(name: str, *, momentum: float = 0.9, epsilon: float = 1e-3, scale: bool = True) -> KerasLayer:
    """A batch normalization, named after the layer that it follows.

    Args:
        name: of the layer before it.
        momentum, epsilon: as in Keras.
        scale: False where a sign follows, which a positive factor does not change.
    """
    return keras2.layers.BatchNormalization(momentum=momentum, epsilon=epsilon, scale=scale, name=f"{name}_norm")


def real_conv(filters: int, size: int, name: str, strides: int = 1, groups: int = 1) -> KerasLayer:
    """A float convolution without bias."""
    return keras2.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        groups=groups,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )


def stem(image: KerasTensor, activation: KerasLayer | None = None, epsilon: float = 1e-3) -> KerasTensor:
    """ResNet's: a 7x7 convolution of 64 filters and a maximum pooling, from [N, H, W, C] to [N, H / 4, W / 4, 64]."""
    x = norm("stem", epsilon=epsilon)(real_conv(64, 7, "stem", strides=2)(image))
    if activation is not None:
        x = activation(x)
    return keras2.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
