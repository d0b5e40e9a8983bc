"""Transposed convolutions: strides, sizes, padding, quantizers and what comes after them."""

from matrix.family import SIGNS, Family, block, chain, conv, norm, op, scales, sign
from matrix.quantizers import pact

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasTensor

layers = tf.keras.layers
BINARY = {"TRANSPOSE_CONV": 0, "SIGN": 0}
SMALL = (4, 3, 40)


def up(
    filters: int = 16, size: int | tuple[int, int] = 2, strides: int | tuple[int, int] = 2, **options: object
) -> KerasLayer:
    """A binary transposed convolution of Larq, without bias."""
    return larq.layers.QuantConv2DTranspose(filters, size, strides, **{**SIGNS, "use_bias": False, **options})


def _one(name: str, *arguments: object, shape: tuple[int, ...] = SMALL, **options: object) -> Family:
    return Family(f"transposed: {name}", chain(lambda: up(*arguments, **options), shape=shape), BINARY)


def _scaled(kernel: KerasTensor) -> KerasTensor:
    """Signs with the mean of each output of a kernel [H, W, O, I]."""
    return tf.reduce_mean(tf.abs(kernel), [0, 1, 3], keepdims=True) * sign(kernel)


def _two_bits(kernel: KerasTensor) -> KerasTensor:
    return larq.quantizers.DoReFa(2, mode="weights")(kernel)


def _u_net(x: KerasTensor) -> KerasTensor:
    """Down twice and up twice, with a shortcut; the last map is classified pixel by pixel."""
    top = norm()(conv(32)(x))
    middle = norm()(conv(32, strides=2)(top))
    deep = norm()(conv(64, strides=2)(middle))
    y = layers.Add()([norm()(up(32)(deep)), middle])
    y = layers.Add()([norm()(up(32, 4, padding="same")(y)), top])
    return layers.Softmax()(layers.Conv2D(5, 1)(y))


def _generator(x: KerasTensor) -> KerasTensor:
    """DCGAN: a vector becomes a map, which is enlarged twice."""
    y = layers.Reshape((2, 2, 32))(layers.Dense(128)(x))
    y = norm()(up(32, 4, padding="same")(y))
    return layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh")(norm()(up(32, 4, padding="same")(y)))


FAMILIES = [
    *(
        _one(f"{size}x{size}, stride {stride}, {padding}", 16, size, stride, padding=padding)
        for stride, size in ((1, 3), (2, 2), (2, 3), (2, 4), (3, 3), (3, 5), (4, 4), (4, 6))
        for padding in ("same", "valid")
    ),
    *(
        _one(f"{size}x{size}, stride {stride}, output padding {more}", 16, size, stride, output_padding=more)
        for size, stride, more in ((3, 2, 0), (3, 2, 1), (5, 3, 2), (5, 4, 0), (5, 4, 3))
    ),
    _one("same, 3x3, stride 2, output padding 1 (PyTorch)", 16, 3, 2, padding="same", output_padding=1),
    _one("2x2, stride 3: pixels that no tap reaches", 16, 2, 3),
    _one("4x3, stride 3x2, same", 16, (4, 3), (3, 2), padding="same"),
    _one("5x5, stride 2, same, on a 2x1 map", 16, 5, 2, padding="same", shape=(2, 1, 32)),
    _one("3x3, dilation 2, same", 16, 3, 1, padding="same", dilation_rate=2),
    _one("4x4, dilation 2, valid", 16, 4, 1, dilation_rate=2),
    _one("a bias and a ReLU of the layer's own", 16, 6, 4, use_bias=True, activation="relu"),
    _one("few channels, where bits are slower", 8, 3, 1, shape=(6, 6, 4)),
    _one("scales of the outputs", 16, 4, padding="same", kernel_quantizer=_scaled),
    _one("a ternary kernel", 16, 3, kernel_quantizer="ste_tern"),
    _one("a kernel of 2 bits", 16, 3, kernel_quantizer=_two_bits),
    _one("ternary inputs", 16, 4, padding="same", input_quantizer="ste_tern"),
    _one("inputs of 2 bits (PACT)", 16, 3, padding="same", input_quantizer=pact),
    Family(
        "transposed: scales of the inputs (magnitude_aware_sign)",
        chain(lambda: up(kernel_quantizer="magnitude_aware_sign"), shape=SMALL),
        refused="scale for each input channel",
    ),
    Family(
        "transposed, BN, conv: no taps outside",
        chain(lambda: up(32), norm, conv, shape=SMALL),
        {**BINARY, "LceBconv2d": 2, "LceQuantize": 1, "MUL": 0, "ADD": 0},
    ),
    Family(
        "transposed, same, BN, conv: zeros outside",
        chain(lambda: up(32, 4, padding="same"), norm, conv, shape=SMALL),
        {**BINARY, "LceBconv2d": 2, "LceQuantize": 2, "MUL": 0},
    ),
    Family(
        "transposed, scales, ReLU, BN, conv",
        chain(
            lambda: up(32, 3, padding="same"),
            lambda: op(lambda x: x * scales(32)),
            layers.ReLU,
            norm,
            conv,
            shape=SMALL,
        ),
        {**BINARY, "MUL": 0},
    ),
    Family("transposed twice", chain(lambda: up(32), norm, lambda: up(16, 3), shape=SMALL), BINARY),
    Family(
        "transposed, batches of any size",
        chain(lambda: up(32, 3, padding="same"), norm, conv, shape=SMALL),
        BINARY,
        batch_size=None,
    ),
    Family("U-Net of strides and transposed convolutions", block(_u_net, (8, 8, 32)), {**BINARY, "LceBconv2d": 5}),
    Family("DCGAN's generator", block(_generator, (20,)), {"TRANSPOSE_CONV": 1}),
]
