"""A residual network of 120 million weights in 56 binary layers: what time and memory grow with."""

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasModel, KerasTensor

NAME = "residual_120m"
_FILTERS, _LAYERS = 512, 56


def large_model() -> KerasModel:
    """On images [N, 32, 32, 3], of maps of 8 by 8: what it computes is little beside what it stores."""
    layers = tf.keras.layers
    image = layers.Input((32, 32, 3))
    x = layers.Conv2D(_FILTERS, 3, strides=4, padding="same", use_bias=False)(image)
    x = layers.BatchNormalization()(x)
    for number in range(_LAYERS):
        x = layers.Add()([x, _binary(x, 1 if number % 9 == 8 else 3)])
    x = layers.Dense(1000, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return tf.keras.Model(image, x, name=NAME)


def _binary(x: KerasTensor, size: int) -> KerasTensor:
    convolution = larq.layers.QuantConv2D(
        _FILTERS,
        size,
        padding="same",
        pad_values=1.0,
        input_quantizer="ste_sign",
        kernel_quantizer="ste_sign",
        kernel_constraint="weight_clip",
        use_bias=False,
    )
    return tf.keras.layers.BatchNormalization()(convolution(x))
