"""What stands between binary convolutions: batch norms, activations, pools, shortcuts, scales."""

import numpy as np
from matrix.family import ZEROS, Family, block, chain, conv, norm, op, scales

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor

layers = tf.keras.layers
PACKED = {"LceQuantize": 1, "LceBconv2d": 2, "MUL": 0, "ADD": 0}
POOLED = {"LceBconv2d": 2, "LceBMaxPool2d": 1, "MAX_POOL_2D": 0, "LceQuantize": 1}
TWO = {"LceBconv2d": 2}


def _signed_affine(x: KerasTensor) -> KerasTensor:
    """Per channel; some factors are negative, some 0."""
    generator = np.random.default_rng(5)
    factor = generator.normal(size=32) * generator.choice([0, 1], 32, p=[0.2, 0.8])
    return x * tf.constant(factor, tf.float32) + tf.constant(generator.normal(size=32), tf.float32)


def _residual(x: KerasTensor) -> KerasTensor:
    y = layers.Add()([x, norm()(conv(40)(x))])
    return layers.Add()([y, norm()(conv(40)(y))])


def _two_readers(x: KerasTensor) -> KerasTensor:
    y = norm()(conv(32)(x))
    return layers.Add()([norm()(conv(32)(y)), y])


def _one_sign_for_two(x: KerasTensor) -> KerasTensor:
    signs = larq.layers.QuantConv2D
    y = op(larq.math.sign)(x)
    left, right = (
        signs(32, size, padding="same", pad_values=1.0, kernel_quantizer="ste_sign", use_bias=False)(y)
        for size in (3, 1)
    )
    return layers.Concatenate()([left, right])


def _spatial_scale(x: KerasTensor) -> KerasTensor:
    """XNOR-Net++: a constant factor for every pixel."""
    factors = np.random.default_rng(6).uniform(0.1, 1, (1, 8, 6, 1))
    return conv(32)(norm()(op(lambda y: y * tf.constant(factors, tf.float32))(conv(32)(x))))


def _full_scale(x: KerasTensor) -> KerasTensor:
    """XNOR-Net++: a constant factor for every pixel and channel."""
    factors = np.random.default_rng(6).normal(size=(1, 8, 6, 32))
    return conv(32)(op(lambda y: y * tf.constant(factors, tf.float32))(conv(32)(x)))


def _k_map(x: KerasTensor) -> KerasTensor:
    """XNOR-Net: the mean of |x| around each pixel is a factor of the output."""
    mean = op(lambda y: tf.reduce_mean(tf.abs(y), -1, keepdims=True))(x)
    around = layers.AveragePooling2D(3, 1, "same")(mean)
    return layers.Multiply()([conv(32)(x), around])


def _excitation(x: KerasTensor) -> KerasTensor:
    """Real-to-Binary: a factor per channel that the input decides."""
    y = norm()(conv(40)(x))
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.Multiply()([y, layers.Dense(40, "sigmoid")(layers.Dense(5, "relu")(pooled))])


FAMILIES = [
    Family("BN, conv (same-one)", chain(conv, norm, conv), PACKED),
    Family("BN, conv (same-zero)", chain(lambda: conv(**ZEROS), norm, lambda: conv(**ZEROS)), TWO),
    Family("BN without scale, conv", chain(conv, lambda: norm(scale=False), conv), PACKED),
    Family("three convolutions", chain(conv, norm, conv, norm, lambda: conv(7)), {"LceQuantize": 1, "LceBconv2d": 3}),
    Family("BN at the end", chain(conv, norm), {"LceBconv2d": 1, "LceQuantize": 1, "MUL": 0, "ADD": 0}),
    Family(
        "neutral BN, conv (same-zero): exact zeros",
        chain(lambda: conv(**ZEROS), lambda: norm(trainable=False), lambda: conv(**ZEROS)),
        TWO,
    ),
    Family("no BN, conv (same-zero): exact zeros", chain(lambda: conv(**ZEROS), lambda: conv(**ZEROS)), TWO),
    Family("a bias with ties, conv", chain(lambda: conv(use_bias=True), conv), {"LceQuantize": 1, "LceBconv2d": 2}),
    Family("factors of 0 and below, conv", chain(conv, lambda: op(_signed_affine), conv), PACKED),
    Family("ReLU, BN, conv (same-one)", chain(conv, layers.ReLU, norm, conv), {**PACKED, "RELU": 0}),
    Family("ReLU, BN, conv (same-zero)", chain(lambda: conv(**ZEROS), layers.ReLU, norm, lambda: conv(**ZEROS)), TWO),
    Family("ReLU6, BN, conv", chain(conv, lambda: layers.ReLU(6.0), norm, conv), {**PACKED, "RELU6": 0}),
    Family("hard tanh, BN, conv", chain(conv, lambda: op(larq.activations.hard_tanh), norm, conv), TWO),
    Family("BN, ReLU", chain(conv, norm, layers.ReLU), {"LceBconv2d": 1}),
    Family("BN, ReLU, conv: a sign of what is never negative", chain(conv, norm, layers.ReLU, conv), {"LceBconv2d": 2}),
    Family("BN, PReLU", chain(conv, norm, lambda: layers.PReLU(shared_axes=[1, 2])), {"LceBconv2d": 1}),
    Family("PReLU, BN, conv", chain(conv, lambda: layers.PReLU(shared_axes=[1, 2]), norm, conv), TWO),
    Family("LeakyReLU, BN, conv", chain(conv, layers.LeakyReLU, norm, conv), TWO),
    Family("a shortcut around each", block(_residual), TWO),
    Family("MaxPool, conv", chain(layers.MaxPool2D, conv), {"LceBMaxPool2d": 1, "MAX_POOL_2D": 0, "LceBconv2d": 1}),
    Family(
        "MaxPool 3x3, stride 2, same, conv",
        chain(lambda: layers.MaxPool2D(3, 2, "same"), conv),
        {"LceBconv2d": 1},
    ),
    Family("BN, MaxPool, conv", chain(conv, norm, layers.MaxPool2D, conv), {**POOLED, "MUL": 0}),
    Family("MaxPool, BN of both signs, conv", chain(conv, layers.MaxPool2D, norm, conv), TWO),
    Family(
        "MaxPool, BN without scale, conv (Larq's tutorial)",
        chain(conv, layers.MaxPool2D, lambda: norm(scale=False), conv),
        {**POOLED, "ADD": 0},
    ),
    Family("AveragePooling, conv", chain(conv, norm, layers.AveragePooling2D, conv), TWO),
    Family(
        "global average, softmax", chain(conv, norm, layers.GlobalAveragePooling2D, lambda: layers.Dense(5, "softmax"))
    ),
    Family("two readers of one convolution", block(_two_readers), TWO),
    Family("one sign for two convolutions", block(_one_sign_for_two), {"LceBconv2d": 2, "LceQuantize": 1}),
    Family("a constant scale per pixel, conv", block(_spatial_scale), TWO),
    Family("a constant scale per element, conv", block(_full_scale), TWO),
    Family("a scale per channel", chain(conv, lambda: op(lambda x: x * scales(32))), {"LceBconv2d": 1, "MUL": 0}),
    Family("XNOR-Net's K", block(_k_map), {"LceBconv2d": 1}),
    Family("squeeze and excitation", block(_excitation), {"LceBconv2d": 1}),
]
