"""Convolutions: sizes, strides, dilation, channels, groups and every way of padding."""

from collections.abc import Sequence

from matrix.family import SIGNS, ZEROS, Family, block, chain, conv, norm, op, sign, valid

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasTensor

ONE = {"LceQuantize": 1, "LceBconv2d": 1}
SAME_ONE = {**ONE, "PADV2": 0, "PAD": 0}
pad = tf.keras.layers.ZeroPadding2D


def _padded_signs(amounts: Sequence[tuple[int, int]], value: float) -> KerasLayer:
    """Pads after the step, as PyTorch's networks do."""
    return op(lambda x: tf.pad(sign(x), [(0, 0), *amounts, (0, 0)], constant_values=value))


def _kernel_only(**options: object) -> KerasLayer:
    return valid(input_quantizer=None, **options)


FAMILIES = [
    Family("3x3, same-one", chain(conv), SAME_ONE),
    Family("3x3, valid", chain(valid), ONE),
    Family("3x3, same-zero", chain(lambda: conv(**ZEROS)), ONE),
    Family("1x1", chain(lambda: conv(size=1)), ONE),
    Family("5x3", chain(lambda: conv(size=(5, 3))), SAME_ONE),
    Family("2x2, same-one: more padding after than before", chain(lambda: conv(size=2)), SAME_ONE),
    Family("stride 2, same-one", chain(lambda: conv(strides=2)), SAME_ONE),
    Family("stride 2, same-one, odd map", chain(lambda: conv(strides=2), shape=(7, 5, 32)), SAME_ONE),
    Family("stride 2, same-zero", chain(lambda: conv(strides=2, **ZEROS)), ONE),
    Family("stride 2x1", chain(lambda: conv(strides=(2, 1))), SAME_ONE),
    Family("1x1, stride 2", chain(lambda: conv(size=1, strides=2)), ONE),
    Family("dilation 2, same-one", chain(lambda: conv(dilation_rate=2)), ONE),
    Family("dilation 2, same-zero", chain(lambda: conv(dilation_rate=2, **ZEROS)), ONE),
    Family("dilation 2, valid", chain(lambda: valid(dilation_rate=2)), ONE),
    Family("dilation 3 by 2, same-one", chain(lambda: conv(dilation_rate=(3, 2))), ONE),
    Family("16 channels", chain(conv, shape=(6, 6, 16)), SAME_ONE),
    Family("33 channels", chain(conv, shape=(6, 6, 33)), SAME_ONE),
    Family("1 channel, 1 filter", chain(lambda: conv(1), shape=(6, 6, 1)), SAME_ONE),
    Family("a bias", chain(lambda: conv(use_bias=True)), SAME_ONE),
    Family("a ReLU of the layer's own", chain(lambda: conv(activation="relu")), ONE),
    Family("same-zero, 3x3 on a 2x2 map", chain(lambda: conv(**ZEROS), shape=(2, 2, 32)), {"LceBconv2d": 1}),
    Family("same-zero, 3x3 on a 1x1 map", chain(lambda: conv(**ZEROS), shape=(1, 1, 32)), {"LceBconv2d": 1}),
    Family("same-zero, 5x5 on a 4x4 map", chain(lambda: conv(size=5, **ZEROS), shape=(4, 4, 32)), {"LceBconv2d": 1}),
    Family(
        "same-zero, dilation 2, 3x3 on a 4x4 map",
        chain(lambda: conv(dilation_rate=2, **ZEROS), shape=(4, 4, 32)),
        {"LceBconv2d": 1},
    ),
    Family("same-one, 3x3 on a 2x2 map", chain(conv, shape=(2, 2, 32)), SAME_ONE),
    Family("padded with -1", chain(lambda: conv(pad_values=-1.0)), {"LceBconv2d": 1}),
    Family("zeros before the sign, valid, stride 2", chain(lambda: pad(1), lambda: valid(strides=2)), ONE),
    Family(
        "zeros after the sign, valid, stride 2",
        chain(lambda: _padded_signs([(1, 1), (1, 1)], 0.0), lambda: _kernel_only(strides=2)),
        {"LceBconv2d": 1},
    ),
    Family(
        "ones after the sign, on two sides",
        chain(lambda: _padded_signs([(0, 1), (2, 0)], 1.0), _kernel_only),
        {"LceBconv2d": 1},
    ),
    Family(
        "{0, 1} inputs padded with 0",
        chain(lambda: conv(input_quantizer="ste_heaviside", **ZEROS)),
        {"LceBconv2d": 1},
    ),
    Family("groups of 32 channels", chain(lambda: conv(groups=2), shape=(6, 6, 64))),
    Family("groups of 16 channels", chain(lambda: conv(groups=4), shape=(6, 6, 64))),
    Family("groups of 20 channels, same-zero", chain(lambda: conv(groups=2, **ZEROS))),
    Family(
        "ResNeXt: 1x1, groups, 1x1",
        chain(lambda: conv(64, 1), norm, lambda: conv(64, groups=2), norm, lambda: conv(32, 1)),
    ),
    Family("channels first in the layer", block(lambda x: _channels_first(x)), {"LceBconv2d": 1}),
]


def _channels_first(x: KerasTensor) -> KerasTensor:
    """A network in PyTorch's order of dimensions, around one convolution in TensorFlow's."""
    permuted = tf.keras.layers.Permute((3, 1, 2))(x)
    signs = op(sign)(permuted)
    back = tf.keras.layers.Permute((2, 3, 1))(signs)
    return larq.layers.QuantConv2D(32, 3, kernel_quantizer=SIGNS["kernel_quantizer"], use_bias=False)(back)
