"""Sums of several binary convolutions, and the signs and quantizers that read them."""

import numpy as np
from matrix.family import ZEROS, Family, block, chain, conv, norm, scales, sign, valid
from matrix.quantizers import pact, step, ternary, two_bases

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasTensor

layers = tf.keras.layers
ALL = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 0}
# Nothing between the sums and the sign of the next layer but what adds the sums.
THRESHOLD = {**ALL, "MUL": 0, "SIGN": 0, "GREATER": 0, "SELECT_V2": 0}


def _kernel(bits: int, **options: object) -> KerasLayer:
    return conv(kernel_quantizer=lambda k: larq.quantizers.DoReFa(bits, mode="weights")(k), **options)


def _tern(**options: object) -> KerasLayer:
    return conv(kernel_quantizer="ste_tern", **options)


def _strict() -> KerasLayer:
    return conv(input_quantizer="ste_heaviside", padding="valid")


def _branches(x: KerasTensor) -> KerasTensor:
    return conv(16)(norm()(layers.Add()([conv(32)(x), conv(32, 1)(x)])))


def _shared_sum(x: KerasTensor) -> KerasTensor:
    """A sum that a sign and a shortcut read."""
    total = norm()(_tern(filters=40)(x))
    return layers.Add()([total, norm()(conv(40)(total))])


def _three_bases(kernel: KerasTensor) -> KerasTensor:
    """LQ-Nets: three learned bases."""
    total = tf.zeros_like(kernel)
    for base in (0.04, 0.021, 0.0107):
        total += base * sign(kernel - total)
    return total


def _shifted(kernel: KerasTensor) -> KerasTensor:
    """ABC-Net: signs of one weight around three shifts, each scaled."""
    shifts = ((-0.03, 0.031), (0.0, 0.045), (0.03, 0.0217))
    return tf.add_n([scale * sign(kernel + shift) for shift, scale in shifts])


def _powers_of_two(kernel: KerasTensor) -> KerasTensor:
    """LQ-Nets with bases that are powers of two, and a scale for each channel."""
    return tf.clip_by_value(tf.floor(kernel * 40), -2.0, 1.0) * scales(32) + 0.5 * scales(32)


def _moved(kernel: KerasTensor) -> KerasTensor:
    """A ternary whose middle is not 0."""
    return ternary(kernel * 9) * 0.5 + 0.25


def _thermometer(x: KerasTensor) -> KerasTensor:
    """N2UQ: steps that are not equally far from each other."""
    return tf.add_n([tf.cast(x > threshold, tf.float32) for threshold in (-0.5, 0.125, 1.0)])


def _residual_bases(x: KerasTensor) -> KerasTensor:
    """LQ-Nets' activations: a basis of two learned numbers."""
    coarse = 0.7 * sign(x)
    return coarse + 0.31 * sign(x - coarse)


def _per_channel_steps(x: KerasTensor) -> KerasTensor:
    steps = tf.constant(np.linspace(0.25, 1.0, 40), tf.float32)
    return tf.cast(x > steps, tf.float32) + tf.cast(x > 2 * steps, tf.float32)


FAMILIES = [
    Family("ternary kernel, conv", chain(_tern, conv), THRESHOLD),
    Family("ternary kernel, BN, conv", chain(_tern, norm, conv), THRESHOLD),
    Family(
        "ternary kernel, BN, conv, same-zero", chain(lambda: _tern(**ZEROS), norm, lambda: conv(**ZEROS)), THRESHOLD
    ),
    Family("ternary kernel, conv of a strict sign", chain(_tern, _strict), THRESHOLD),
    Family("ternary kernel, conv of x > 0.25", chain(_tern, lambda: conv(input_quantizer=step)), THRESHOLD),
    Family("ternary kernel, ReLU6, BN, conv", chain(_tern, lambda: layers.ReLU(6.0), norm, conv), THRESHOLD),
    Family("ternary kernel, MaxPool, BN, conv", chain(_tern, layers.MaxPool2D, norm, conv), ALL),
    Family("ternary kernel, BN, read twice", block(_shared_sum), ALL),
    Family("kernel of 2 bits, BN, conv", chain(lambda: _kernel(2), norm, conv), THRESHOLD),
    Family("kernel of 3 bits, BN, conv", chain(lambda: _kernel(3), norm, conv), THRESHOLD),
    Family("two bases, BN, conv", chain(lambda: conv(kernel_quantizer=two_bases), norm, conv), ALL),
    Family("three bases (LQ-Nets)", chain(lambda: conv(kernel_quantizer=_three_bases)), {**ALL, "LceBconv2d": 3}),
    Family("three bases, BN, conv", chain(lambda: conv(kernel_quantizer=_three_bases), norm, conv), ALL),
    Family("three shifted signs (ABC-Net)", chain(lambda: conv(kernel_quantizer=_shifted)), {**ALL, "LceBconv2d": 3}),
    Family("bases of powers of two, scaled", chain(lambda: conv(kernel_quantizer=_powers_of_two)), ALL),
    Family("ternary kernel around 0.25", chain(lambda: conv(kernel_quantizer=_moved)), ALL),
    Family(
        "{-0.25, 1} kernel, BN, conv",
        chain(lambda: conv(kernel_quantizer=lambda k: tf.where(k > 0, 1.0, -0.25)), norm, conv),
        ALL,
    ),
    Family("input of two residual bases (LQ-Nets)", chain(lambda: valid(input_quantizer=_residual_bases)), ALL),
    Family(
        "input of unequal steps (N2UQ)",
        chain(lambda: conv(input_quantizer=_thermometer, **ZEROS)),
        operators={**ALL, "ADD_N": 0},
    ),
    Family("input of steps per channel", chain(lambda: valid(input_quantizer=_per_channel_steps)), ALL),
    Family("input of 2 bits, BN, conv", chain(lambda: valid(input_quantizer=pact), norm, conv), THRESHOLD),
    Family(
        "ternary both, BN, ternary both",
        chain(
            *[lambda: _tern(input_quantizer="ste_tern", padding="valid")],
            norm,
            lambda: _tern(input_quantizer="ste_tern", padding="valid"),
        ),
        ALL,
    ),
    Family("two convolutions added, BN, conv", block(_branches), {**ALL, "LceBconv2d": 3}),
    Family(
        "groups of 16 channels, BN, conv", chain(lambda: conv(64, groups=4), norm, conv, shape=(6, 6, 64)), THRESHOLD
    ),
    Family(
        "depthwise, BN, 1x1",
        chain(
            lambda: larq.layers.QuantDepthwiseConv2D(
                3, input_quantizer="ste_sign", depthwise_quantizer="ste_sign", use_bias=False
            ),
            norm,
            lambda: conv(16, 1),
        ),
        ALL,
    ),
    Family(
        "same-zero, 3x3 on a 2x2 map, BN, conv",
        chain(lambda: conv(**ZEROS), norm, lambda: conv(size=1), shape=(2, 2, 32)),
        {**THRESHOLD, "LceBconv2d": 2},
    ),
]
