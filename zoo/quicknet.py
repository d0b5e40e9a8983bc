"""QuickNet in three sizes: Larq's networks for fast inference on phones."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from mobile_bnn.methods import Method
from mobile_bnn.zoo.architecture import Architecture, Shape


def _build(
    name: str,
    filters_of: Sequence[int],
    layers_of: Sequence[int],
    method: Method,
    input_shape: Shape,
    num_classes: int,
) -> Any:
    """Builds a network whose stage i has layers_of[i] binary convolutions of filters_of[i] filters."""
    from mobile_bnn.legacy_keras import larq, tf

    layers = tf.keras.layers

    def norm(name: str) -> Any:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")

    def depthwise(name: str, **options: Any) -> Any:
        return layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, name=name, **options)

    def pointwise(filters: int, name: str) -> Any:
        return layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal", name=name)

    def stem(image: Any, filters: int) -> Any:
        x = layers.Conv2D(
            filters // 4, 3, strides=2, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem_1"
        )(image)
        x = layers.ReLU(name="stem_1_relu")(norm("stem_1")(x))
        x = norm("stem_2")(depthwise("stem_2")(x))
        return norm("stem_3")(pointwise(filters, "stem_3")(x))

    def blurred(x: Any, name: str) -> Any:
        """Behind a binomial low-pass filter, which never changes; its initializer would be none that Keras can load."""
        layer = depthwise(name, depthwise_initializer="zeros", trainable=False)
        y = layer(x)
        row = np.array([1, 2, 1], np.float32) / 4
        layer.set_weights([np.broadcast_to(np.outer(row, row)[:, :, None, None], layer.depthwise_kernel.shape)])
        return y

    def transition(x: Any, filters: int, name: str) -> Any:
        x = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(layers.ReLU(name=f"{name}_relu")(x))
        # Blurring before the stride keeps shifted images alike.
        return norm(name)(pointwise(filters, name)(blurred(x, f"{name}_blur")))

    def binary_layer(x: Any, name: str) -> Any:
        y = larq.layers.QuantConv2D(
            x.shape[-1],
            3,
            **method.convolution(),
            activation="relu",
            kernel_initializer="glorot_normal",
            use_bias=False,
            name=f"{name}_conv",
        )(x)
        return layers.Add(name=f"{name}_add")([norm(f"{name}_conv")(y), x])

    image = layers.Input(input_shape, name="image")
    x = stem(image, filters_of[0])
    for stage, (filters, count) in enumerate(zip(filters_of, layers_of, strict=True), 1):
        if stage > 1:
            x = transition(x, filters, f"transition{stage - 1}")
        for layer in range(1, count + 1):
            x = binary_layer(x, f"stage{stage}_{layer}")
    x = layers.GlobalAveragePooling2D(name="pool")(layers.ReLU(name="relu")(x))
    x = layers.Dense(num_classes, kernel_initializer="glorot_normal", activation="softmax", name="probabilities")(x)
    return tf.keras.Model(image, x, name=name)


def _architecture(name: str, published_as: str, filters_of: Sequence[int], layers_of: Sequence[int]) -> Architecture:
    stages = ", ".join(f"{count} of {filters}" for count, filters in zip(layers_of, filters_of, strict=True))
    return Architecture(
        name=name,
        summary=f"a light real stem, {sum(layers_of)} binary 3x3 convolutions ({stages} filters) with a real shortcut "
        "around each, blurred transitions",
        source=f"Bannink et al., Larq Compute Engine, MLSys 2021 ({published_as})",
        input_shape=(224, 224, 3),
        num_classes=1000,
        smallest_input=32,
        build=partial(_build, name, filters_of, layers_of),
    )


ARCHITECTURES = (
    _architecture("quicknet_small", "QuickNetSmall", filters_of=(32, 64, 256, 512), layers_of=(4, 4, 4, 4)),
    _architecture("quicknet", "QuickNet", filters_of=(64, 128, 256, 512), layers_of=(4, 4, 4, 4)),
    _architecture("quicknet_large", "QuickNetLarge", filters_of=(64, 128, 256, 512), layers_of=(6, 8, 12, 6)),
)
