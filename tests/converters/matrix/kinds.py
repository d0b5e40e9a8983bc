"""Layers other than two-dimensional convolutions."""

from matrix.family import ONES, SIGNS, ZEROS, Family, chain, conv, norm

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer

layers = tf.keras.layers
DEPTHWISE = {"input_quantizer": "ste_sign", "depthwise_quantizer": "ste_sign", "use_bias": False}
SEPARABLE = {**DEPTHWISE, "pointwise_quantizer": "ste_sign"}
ONE = {"LceQuantize": 1, "LceBconv2d": 1}

# The depthwise part of a separable layer is binary; what the pointwise part reads are its sums, which nobody quantized.
SUMS = "its input is not quantized"


def _depthwise(size: int, **options: object) -> KerasLayer:
    return larq.layers.QuantDepthwiseConv2D(size, **DEPTHWISE, **options)


def dense(units: int = 24, **options: object) -> KerasLayer:
    return larq.layers.QuantDense(units, **{**SIGNS, "use_bias": False, **options})


FAMILIES = [
    Family("QuantDense", chain(dense, shape=(70,)), {**ONE, "FULLY_CONNECTED": 0}),
    Family("QuantDense with a bias", chain(lambda: dense(use_bias=True), shape=(64,)), {**ONE, "FULLY_CONNECTED": 0}),
    Family(
        "QuantDense, BN, QuantDense",
        chain(dense, norm, dense, shape=(70,)),
        {"LceQuantize": 1, "LceBconv2d": 2, "FULLY_CONNECTED": 0},
    ),
    Family(
        "conv, BN, Flatten, QuantDense",
        chain(conv, norm, layers.Flatten, dense),
        {"LceBconv2d": 2, "FULLY_CONNECTED": 0},
    ),
    Family(
        "conv, MaxPool, BN, Flatten, QuantDense, BN, QuantDense, BN, softmax (Larq's tutorial)",
        chain(conv, layers.MaxPool2D, norm, layers.Flatten, dense, norm, dense, norm, layers.Softmax),
        {"LceBconv2d": 3, "FULLY_CONNECTED": 0},
    ),
    Family("QuantDense on sequences", chain(dense, shape=(9, 64)), {"LceBconv2d": 1}),
    Family(
        "1x1 convolution of a vector", chain(lambda: layers.Reshape((1, 1, 70)), lambda: conv(24, 1), shape=(70,)), ONE
    ),
    Family("QuantConv1D", chain(lambda: larq.layers.QuantConv1D(24, 3, **SIGNS), shape=(12, 40)), {"LceBconv2d": 1}),
    Family("QuantConv1D, same-one", chain(lambda: larq.layers.QuantConv1D(24, 3, **SIGNS, **ONES), shape=(12, 40))),
    Family(
        "QuantConv1D, same-zero, stride 2",
        chain(lambda: larq.layers.QuantConv1D(24, 5, strides=2, **SIGNS, **ZEROS), shape=(12, 40)),
        {"LceBconv2d": 1},
    ),
    Family(
        "QuantConv1D, causal, dilation 2",
        chain(lambda: larq.layers.QuantConv1D(24, 3, padding="causal", dilation_rate=2, **SIGNS), shape=(12, 40)),
        {"LceBconv2d": 1},
    ),
    Family("QuantDepthwiseConv2D, 32 channels", chain(lambda: _depthwise(3), shape=(6, 6, 32))),
    Family(
        "QuantDepthwiseConv2D, same-one, stride 2",
        chain(lambda: _depthwise(3, strides=2, **ONES), shape=(6, 6, 20)),
    ),
    Family(
        "QuantDepthwiseConv2D, same-zero, 2 filters a channel",
        chain(lambda: _depthwise(3, depth_multiplier=2, **ZEROS), shape=(6, 6, 20)),
    ),
    Family("QuantDepthwiseConv2D, 40 channels", chain(lambda: _depthwise(3)), {"DEPTHWISE_CONV_2D": 0}),
    Family("QuantSeparableConv2D", chain(lambda: larq.layers.QuantSeparableConv2D(24, 3, **SEPARABLE)), refused=SUMS),
    Family(
        "QuantSeparableConv1D",
        chain(lambda: larq.layers.QuantSeparableConv1D(24, 3, **SEPARABLE), shape=(12, 40)),
        refused=SUMS,
    ),
    Family(
        "binary filters, float input (BinaryConnect)",
        chain(lambda: conv(input_quantizer=None)),
        {"LceBconv2d": 0},
        most_bytes=8000,
    ),
    Family(
        "binary filters, float input: QuantDense",
        chain(lambda: dense(input_quantizer=None), shape=(512,)),
        {"LceBconv2d": 0},
        most_bytes=8000,
    ),
    Family(
        "a float stem with binary filters, BN, conv (Larq's tutorial)",
        chain(lambda: conv(128, input_quantizer=None), norm, conv, shape=(8, 8, 3)),
        {"LceBconv2d": 1},
        most_bytes=15000,
    ),
    Family(
        "QuantConv2DTranspose",
        chain(lambda: larq.layers.QuantConv2DTranspose(24, 3, **SIGNS)),
        {"LceBconv2d": 1},
    ),
    Family(
        "QuantConv3D", chain(lambda: larq.layers.QuantConv3D(8, 3, **SIGNS), shape=(5, 6, 6, 16)), refused="CONV_3D"
    ),
    Family(
        "QuantConv3DTranspose",
        chain(lambda: larq.layers.QuantConv3DTranspose(8, 3, **SIGNS), shape=(3, 4, 4, 16)),
        refused="CONV_3D_TRANSPOSE",
    ),
    Family(
        "QuantLocallyConnected1D",
        chain(lambda: larq.layers.QuantLocallyConnected1D(8, 3, implementation=1, **SIGNS), shape=(6, 32)),
        refused="BATCH_MATMUL",
    ),
    Family(
        "QuantLocallyConnected2D",
        chain(lambda: larq.layers.QuantLocallyConnected2D(8, 3, implementation=1, **SIGNS), shape=(4, 4, 32)),
        refused="BATCH_MATMUL",
    ),
]
