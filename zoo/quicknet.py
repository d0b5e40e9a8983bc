"""QuickNet in three sizes: Larq's networks for fast inference on phones."""

from collections.abc import Sequence

import numpy as np

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods import Method, Published
from mobile_bnn.tasks import Features
from mobile_bnn.typing import KerasLayer, KerasTensor
from mobile_bnn.zoo.architecture import SHORTCUT, register
from mobile_bnn.zoo.blocks import real_layers


def _norm(name: str) -> KerasLayer:
    return real_layers.norm(name, epsilon=1e-5)


def _stem_norm(name: str, **options: bool) -> KerasLayer:
    """With the momentum and the epsilon of Keras."""
    return keras2.layers.BatchNormalization(name=f"{name}_norm", **options)


def _depthwise(name: str, **options: object) -> KerasLayer:
    return keras2.layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, name=name, **options)


def _pointwise(filters: int, name: str) -> KerasLayer:
    return keras2.layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal", name=name)


def _stem(image: KerasTensor, filters: int) -> KerasTensor:
    x = real_layers.real_conv(filters // 4, 3, "stem_1", strides=2)(image)
    x = keras2.layers.ReLU(name="stem_1_relu")(_stem_norm("stem_1")(x))
    x = _stem_norm("stem_2", scale=False, center=False)(_depthwise("stem_2")(x))
    return _stem_norm("stem_3")(_pointwise(filters, "stem_3")(x))


def _blurred(x: KerasTensor, name: str) -> KerasTensor:
    """A binomial low-pass filter that never changes; as an initializer it could not be loaded by Keras."""
    layer = _depthwise(name, depthwise_initializer="zeros", trainable=False)
    y = layer(x)
    row = np.array([1, 2, 1], np.float32) / 4
    layer.set_weights([np.broadcast_to(np.outer(row, row)[:, :, None, None], layer.depthwise_kernel.shape)])
    return y


def _transition(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    layers = keras2.layers
    x = layers.MaxPooling2D(2, strides=1, name=f"{name}_pool")(layers.ReLU(name=f"{name}_relu")(x))
    # Blurring before the stride keeps shifted images alike.
    return _norm(name)(_pointwise(filters, name)(_blurred(x, f"{name}_blur")))


def _binary_layer(x: KerasTensor, method: Method, name: str) -> KerasTensor:
    y = method.conv2d(x, x.shape[-1], 3, activation="relu", kernel_initializer="glorot_normal", name=f"{name}_conv")
    return method.shortcut(x, _norm(f"{name}_conv")(y), name=f"{name}_add")


def _classifier(features: Features, method: Method, num_classes: int) -> KerasTensor:
    x = keras2.layers.GlobalAveragePooling2D(name="pool")(features[32])
    return keras2.layers.Dense(num_classes, kernel_initializer="glorot_normal", name="logits")(x)


def _register(name: str, published_as: str, top1: float, filters_of: Sequence[int], layers_of: Sequence[int]) -> None:
    """Registers a network whose stage i has layers_of[i] binary convolutions of filters_of[i] filters."""
    stages = ", ".join(f"{count} of {filters}" for count, filters in zip(layers_of, filters_of, strict=True))

    @register(
        name,
        summary=f"a light real stem, {sum(layers_of)} binary 3x3 convolutions ({stages} filters) with a real shortcut "
        "around each, blurred transitions",
        source=f"Bannink et al., Larq Compute Engine, MLSys 2021 ({published_as})",
        classifier=_classifier,
        offers=SHORTCUT,
        published=(Published(dataset="ImageNet", network=published_as, top1=top1, source="Larq Zoo"),),
    )
    def quicknet(method: Method, image: KerasTensor) -> Features:
        x, features = _stem(image, filters_of[0]), Features()
        for stage, (filters, count) in enumerate(zip(filters_of, layers_of, strict=True), 1):
            if stage > 1:
                x = _transition(x, filters, f"transition{stage - 1}")
            for layer in range(1, count + 1):
                x = _binary_layer(x, method, f"stage{stage}_{layer}")
            features[2 ** (stage + 1)] = x
        return {**features, 32: keras2.layers.ReLU(name="relu")(x)}


_register("quicknet_small", "QuickNetSmall", 59.4, filters_of=(32, 64, 256, 512), layers_of=(4, 4, 4, 4))
_register("quicknet", "QuickNet", 63.3, filters_of=(64, 128, 256, 512), layers_of=(4, 4, 4, 4))
_register("quicknet_large", "QuickNetLarge", 66.9, filters_of=(64, 128, 256, 512), layers_of=(6, 8, 12, 6))
