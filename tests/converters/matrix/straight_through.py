"""Quantizers as other libraries spell them: straight-through estimators, low bits, clips that exporters fuse."""

from matrix.family import ZEROS, Family, block, chain, conv, norm, op, sign
from matrix.quantizers import pact

from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasFunction, KerasTensor

layers = tf.keras.layers
stop = tf.stop_gradient
ONE = {"LceQuantize": 1, "LceBconv2d": 1}
ALL = {"CONV_2D": 0}


@tf.custom_gradient
def custom_sign(x: KerasTensor) -> tuple[KerasTensor, KerasFunction]:
    return tf.where(x >= 0, 1.0, -1.0), lambda gradient: gradient * tf.cast(tf.abs(x) <= 1, gradient.dtype)


@tf.custom_gradient
def custom_round(x: KerasTensor) -> tuple[KerasTensor, KerasFunction]:
    return tf.round(x), lambda gradient: gradient


def rounded(x: KerasTensor) -> KerasTensor:
    """Straight through, as most libraries round."""
    return x + stop(tf.round(x) - x)


def bireal_sign(x: KerasTensor) -> KerasTensor:
    """Bi-Real Net's PyTorch code: the gradient of a piecewise polynomial."""
    soft = tf.where(x < -1, -1.0, tf.where(x < 0, x * x + 2 * x, tf.where(x < 1, -x * x + 2 * x, 1.0)))
    return stop(tf.sign(x)) - stop(soft) + soft


def dorefa(x: KerasTensor, bits: int) -> KerasTensor:
    top = 2**bits - 1
    return rounded(tf.clip_by_value(x, 0.0, 1.0) * top) / top


def pact_of_magnitudes(x: KerasTensor, clip: float = 1.5) -> KerasTensor:
    """PACT's paper, equation 1."""
    clipped = 0.5 * (tf.abs(x) - tf.abs(x - clip) + clip)
    return rounded(clipped * (3 / clip)) * (clip / 3)


def lsq(x: KerasTensor, low: float = 0.0, high: float = 3.0, step: float = 0.31) -> KerasTensor:
    """LSQ: a learned step, whose gradient is scaled."""
    scaled = tf.constant(step) * 0.01
    step = scaled + stop(step - scaled)
    return rounded(tf.clip_by_value(x / step, low, high)) * step


def quantized_relu(x: KerasTensor) -> KerasTensor:
    """QKeras's quantized_relu(2, 1): the rounding is inside the clip."""
    level = 2.0**2
    scaled = x * level / 2.0**1
    return tf.clip_by_value((scaled + stop(-scaled + tf.round(scaled))) / level, 0.0, 1 - 1 / level) * 2.0**1


def quantized_bits(x: KerasTensor) -> KerasTensor:
    """QKeras's quantized_bits(3, 0): signed, its rounding inside the clip."""
    level = 2.0**2
    scaled = x * level
    z = tf.clip_by_value(scaled + stop(-scaled + tf.round(scaled)), -level, level - 1) / level
    return x + stop(-x + z)


def brevitas(x: KerasTensor) -> KerasTensor:
    """Brevitas' Int2ActPerTensor: rounded, then clamped, then scaled."""
    return tf.clip_by_value(rounded(x / 0.43), -2.0, 1.0) * 0.43


def shifted_round(x: KerasTensor) -> KerasTensor:
    """floor(x + 0.5) instead of round(x)."""
    return tf.clip_by_value(tf.floor(x * 2 + 0.5), 0.0, 3.0) / 2


def masked(x: KerasTensor) -> KerasTensor:
    """A quantizer times a mask of what is large enough."""
    return tf.sign(x) * tf.cast(tf.abs(x) > 0.5, tf.float32)


def _input(name: str, quantizer: KerasFunction, count: int = 1) -> Family:
    """An input of two values, padded with ones; else one of several, with zeros."""
    if count == 1:
        return Family(f"input {name}", chain(lambda: conv(input_quantizer=quantizer)), {**ALL, "LceBconv2d": 1})
    return Family(f"input {name}", chain(lambda: conv(input_quantizer=quantizer, **ZEROS)), ALL)


def _kernel(name: str, quantizer: KerasFunction, count: int = 1) -> Family:
    return Family(f"kernel {name}", chain(lambda: conv(kernel_quantizer=quantizer)), {**ALL, "LceBconv2d": count})


def _added(x: KerasTensor) -> KerasTensor:
    """An ADD with a fused RELU6 before a quantizer."""
    y = layers.Add()([norm()(conv(40)(x)), x])
    return conv(16, input_quantizer=lambda z: dorefa(z / 6, 2), **ZEROS)(layers.ReLU(6.0)(y))


def _pooled(x: KerasTensor) -> KerasTensor:
    """A pool with a fused clip before a quantizer."""
    y = layers.AveragePooling2D()(conv(32)(x))
    y = op(lambda z: tf.clip_by_value(z, -1.0, 1.0))(y)
    return conv(16, input_quantizer=lambda z: tf.round(z), **ZEROS)(y)


def _fused(name: str, clip: KerasFunction, quantizer: KerasFunction) -> Family:
    """A clip that the exporter fuses into a float convolution, before a quantizer."""
    parts = lambda: layers.Conv2D(24, 3), lambda: op(clip), lambda: conv(16, input_quantizer=quantizer, **ZEROS)
    return Family(f"fused clip: {name}", chain(*parts, shape=(8, 6, 3)), {"CONV_2D": 1})


FAMILIES = [
    _input("x + stop(sign(x) - x)", lambda x: x + stop(sign(x) - x)),
    _input("x - stop(x - sign(x))", lambda x: x - stop(x - sign(x))),
    _input("stop(sign(x) - x) + x", lambda x: stop(sign(x) - x) + x),
    _input("clip(x) + stop(sign(x) - clip(x))", lambda x: (y := tf.clip_by_value(x, -1.0, 1.0)) + stop(sign(x) - y)),
    _input("tanh(3x) + stop(sign(x) - tanh(3x))", lambda x: (y := tf.tanh(3 * x)) + stop(sign(x) - y)),
    _input("Bi-Real's polynomial", bireal_sign, 2),
    _input("tf.custom_gradient of a sign", custom_sign),
    _input("tf.custom_gradient of round", lambda x: custom_round(tf.clip_by_value(x, 0.0, 1.0)), 2),
    _input("DoReFa, 2 bits, straight through", lambda x: dorefa(x, 2), 2),
    _input("DoReFa, 3 bits, straight through", lambda x: dorefa(x, 3), 3),
    _input("DoReFa, 4 bits, straight through", lambda x: dorefa(x, 4), 4),
    _input("PACT of magnitudes", pact_of_magnitudes, 2),
    _input("PACT, 3 bits", lambda x: pact(x, 3), 3),
    _input("PACT, 4 bits", lambda x: pact(x, 4), 4),
    _input("LSQ, 2 bits", lsq, 2),
    _input("LSQ, 2 bits, signed", lambda x: lsq(x, -2.0, 1.0), 2),
    _input("LSQ, 4 bits", lambda x: lsq(x, 0.0, 15.0), 4),
    _input("QKeras's quantized_relu(2, 1)", quantized_relu, 2),
    _input("QKeras's quantized_bits(3, 0)", quantized_bits, 3),
    _input("Brevitas, 2 bits", brevitas, 2),
    _input("floor(x + 0.5)", shifted_round, 2),
    _input("a sign times a mask", masked, 2),
    _kernel("w + stop(sign(w) - w)", lambda w: w + stop(sign(w) - w)),
    _kernel("tf.custom_gradient of a sign", custom_sign),
    _kernel("mean(|w|) (w + stop(sign(w) - w))", lambda w: tf.reduce_mean(tf.abs(w)) * (w + stop(sign(w) - w))),
    _kernel("Bi-Real's polynomial", bireal_sign),
    _kernel("LSQ, 2 bits, signed: lopsided", lambda w: lsq(w, -2.0, 1.0, 0.05), 3),
    _kernel("LSQ, 3 bits, signed: lopsided", lambda w: lsq(w, -4.0, 3.0, 0.03), 4),
    _fused("ReLU6, DoReFa of 2 bits", tf.nn.relu6, lambda x: dorefa(x / 6, 2)),
    _fused("ReLU, PACT of 2 bits", tf.nn.relu, pact),
    _fused("clip to [-1, 1], ternary", lambda x: tf.clip_by_value(x, -1.0, 1.0), tf.round),
    _fused("clip to [-1, 1], 3 bits", lambda x: tf.clip_by_value(x, -1.0, 1.0), lambda x: rounded(x * 3) / 3),
    _fused("ReLU6, LSQ of 2 bits", tf.nn.relu6, lsq),
    _fused("clip to [-1, 1], sign", lambda x: tf.clip_by_value(x, -1.0, 1.0), sign),
    Family("fused clip: shortcut, ReLU6, 2 bits", block(_added), ALL),
    Family("fused clip: AveragePooling, clip to [-1, 1], ternary", block(_pooled), ALL),
]
