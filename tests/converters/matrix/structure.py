"""Movements of data between a sign and its convolution, and models that are no chain of layers."""

from collections.abc import Callable

import numpy as np
from matrix.family import ZEROS, Family, block, chain, conv, norm, op, sign

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasLayer, KerasModel, KerasTensor

layers = tf.keras.layers


def kernel_only(filters: int = 32, size: int = 3, **options: object) -> KerasLayer:
    """A convolution whose input is quantized elsewhere."""
    return conv(filters, size, input_quantizer=None, **options)


def _concatenated_signs(x: KerasTensor) -> KerasTensor:
    signs = [op(sign)(x), op(lambda y: sign(y - 0.5))(x)]
    return kernel_only()(layers.Concatenate()(signs))


def _concatenated_packed(x: KerasTensor) -> KerasTensor:
    """Two outputs of 32 channels each meet before a convolution, after their signs."""
    halves = [op(sign)(norm()(conv(32, size)(x))) for size in (3, 1)]
    return kernel_only()(layers.Concatenate()(halves))


def _split(x: KerasTensor) -> KerasTensor:
    halves = op(lambda y: tf.split(sign(y), 2, -1))(x)
    return layers.Concatenate()([kernel_only(16)(half) for half in halves])


def _shuffle(x: KerasTensor) -> KerasTensor:
    """ShuffleNet: the channels change places after the sign."""
    order = np.arange(64).reshape(2, 32).T.reshape(-1)
    return kernel_only()(op(lambda y: tf.gather(sign(y), order, axis=-1))(x))


def _between(function: KerasFunction, shape: tuple[int, ...] = (8, 6, 40)) -> Callable[[], KerasModel]:
    return chain(lambda: op(lambda x: function(sign(x))), kernel_only, shape=shape)


def _nested() -> KerasModel:
    inner = chain(norm, conv, norm, shape=(8, 6, 40))()
    image = layers.Input((8, 6, 40))
    return tf.keras.Model(image, conv(16)(inner(image)))


def _called_twice() -> KerasModel:
    image = layers.Input((8, 6, 40))
    shared, first, second = conv(40), norm(), norm()
    return tf.keras.Model(image, second(shared(first(shared(image)))))


def _two_inputs() -> KerasModel:
    left, right = layers.Input((6, 6, 32), name="left"), layers.Input((6, 6, 32), name="right")
    return tf.keras.Model([left, right], layers.Subtract()([conv(16)(left), conv(16, 1)(right)]))


def _two_outputs() -> KerasModel:
    image = layers.Input((6, 6, 32))
    first = norm()(conv(32)(image))
    return tf.keras.Model(image, [first, layers.GlobalAveragePooling2D()(conv(8)(first))])


def _unused_input_of_one(x: KerasTensor) -> KerasTensor:
    y = conv(32)(x)
    return layers.Add()([y, layers.Dropout(0.5)(y)])


def _every_step(x: KerasTensor) -> KerasTensor:
    y = norm()(layers.TimeDistributed(conv(32))(x))
    return layers.TimeDistributed(conv(16))(y)


def _mixed_precision() -> KerasModel:
    policy = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return chain(conv, norm, conv)()
    finally:
        tf.keras.mixed_precision.set_global_policy(policy)


FAMILIES = [
    Family("permuted after the sign", _between(lambda x: tf.transpose(x, (0, 2, 1, 3))), {"LceBconv2d": 1}),
    Family("reshaped after the sign", _between(lambda x: tf.reshape(x, (-1, 6, 8, 40))), {"LceBconv2d": 1}),
    Family("cropped after the sign", _between(lambda x: x[:, 1:-1, :-1]), {"LceBconv2d": 1}),
    Family("half of the channels after the sign", _between(lambda x: x[..., :32], (8, 6, 64)), {"LceBconv2d": 1}),
    Family("enlarged after the sign", _between(lambda x: tf.repeat(tf.repeat(x, 2, 1), 2, 2)), {"LceBconv2d": 1}),
    Family("enlarged by a layer after the sign", _between(layers.UpSampling2D()), {"LceBconv2d": 1, "SIGN": 0}),
    Family(
        "space to depth after the sign", _between(lambda x: tf.nn.space_to_depth(x, 2), (8, 6, 32)), {"LceBconv2d": 1}
    ),
    Family("MaxPool after the sign", _between(lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID")), {"LceBconv2d": 1}),
    Family("channels shuffled after the sign", block(_shuffle, (6, 6, 64)), {"LceBconv2d": 1}),
    Family("concatenated after signs", block(_concatenated_signs), {"LceBconv2d": 1}),
    Family("concatenated after packed outputs", block(_concatenated_packed), {"LceBconv2d": 3}),
    Family("split after the sign", block(_split, (6, 6, 64)), {"LceBconv2d": 2}),
    Family(
        "Dropout between", chain(conv, norm, lambda: layers.Dropout(0.5), conv), {"LceBconv2d": 2, "LceQuantize": 1}
    ),
    Family("a model inside a model", _nested, {"LceBconv2d": 2}),
    Family("a layer called twice", _called_twice, {"LceBconv2d": 2}),
    Family("two inputs", _two_inputs, {"LceBconv2d": 2}),
    Family("two outputs", _two_outputs, {"LceBconv2d": 2}),
    Family("an output that is read too", block(_unused_input_of_one), {"LceBconv2d": 1}),
    Family("batches of 4", chain(conv, norm, conv), {"LceBconv2d": 2, "LceQuantize": 1}, batch_size=4),
    Family("batches of any size", chain(conv, norm, conv), {"LceBconv2d": 2, "LceQuantize": 1}, batch_size=None),
    Family(
        "zeros around a small map, batches of any size",
        chain(lambda: conv(dilation_rate=3, **ZEROS), norm, lambda: conv(16), shape=(4, 3, 40)),
        {"LceBconv2d": 2},
        batch_size=None,
    ),
    Family("a layer for every step of a sequence", block(_every_step, (3, 6, 6, 32)), {"LceBconv2d": 2}),
    Family("mixed_float16", _mixed_precision, refused="float16"),
]
