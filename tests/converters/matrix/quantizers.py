"""Every way of writing a quantizer, for activations and for filters."""

from collections.abc import Mapping

import numpy as np
from matrix.family import ONES, ZEROS, Family, chain, conv, norm, op, scales, sign, valid

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasFunction, KerasTensor

BINARY = {"LceQuantize": 1, "LceBconv2d": 1}
THRESHOLDS = tf.constant(np.rint(np.random.default_rng(7).normal(size=40) * 4) / 8, tf.float32)


class Shift(tf.keras.layers.Layer):
    """RSign's learned threshold of each channel."""

    def build(self, input_shape: tf.TensorShape) -> None:
        self.shift = self.add_weight("shift", input_shape[-1:], initializer="zeros")

    def call(self, x: KerasTensor) -> KerasTensor:
        return x + self.shift


def step(x: KerasTensor, threshold: float = 0.25) -> KerasTensor:
    return tf.where(x > threshold, 1.0, -1.0)


def hwgq(x: KerasTensor) -> KerasTensor:
    """Half-wave Gaussian quantizer of two bits."""
    return tf.clip_by_value(tf.math.ceil(x / 0.538 - 0.5), 0.0, 3.0) * 0.538


def pact(x: KerasTensor, bits: int = 2, clip: float = 1.5) -> KerasTensor:
    """Clips at a learned value, then rounds."""
    steps = (2**bits - 1) / clip
    return tf.round(tf.clip_by_value(x, 0.0, clip) * steps) / steps


def ternary(x: KerasTensor) -> KerasTensor:
    return (tf.sign(x + 0.5) + tf.sign(x - 0.5)) / 2


def xnor_kernel(kernel: KerasTensor) -> KerasTensor:
    """XNOR-Net: the sign times the mean of each output channel."""
    return tf.reduce_mean(tf.abs(kernel), [0, 1, 2], keepdims=True) * sign(kernel)


def centred(kernel: KerasTensor) -> KerasTensor:
    """IR-Net: balanced around the mean, and scaled by a power of two."""
    kernel = kernel - tf.reduce_mean(kernel, [0, 1, 2], keepdims=True)
    mean = tf.reduce_mean(tf.abs(kernel), [0, 1, 2], keepdims=True)
    return sign(kernel) * 2 ** tf.round(tf.math.log(mean) / np.log(2))


def two_bases(kernel: KerasTensor) -> KerasTensor:
    """ABC-Net: the sum of a coarse and a fine sign."""
    first = 0.05 * sign(kernel)
    return first + 0.0213 * sign(kernel - first)


def _inputs(
    name: str, quantizer: str | KerasFunction, operators: Mapping[str, int] = BINARY, **options: object
) -> Family:
    return Family(f"input {name}", chain(lambda: conv(input_quantizer=quantizer, **options)), operators)


def _kernels(
    name: str, quantizer: str | KerasFunction, operators: Mapping[str, int] = BINARY, **options: object
) -> Family:
    return Family(f"kernel {name}", chain(lambda: conv(kernel_quantizer=quantizer, **options)), operators)


def _few_bits(name: str, quantizer: str | KerasFunction, **options: object) -> Family:
    return _inputs(name, quantizer, {}, **{**ZEROS, **options})


def _refused(name: str, why: str, **options: object) -> Family:
    return Family(name, chain(lambda: conv(**options)), refused=why)


FAMILIES = [
    _inputs("approx_sign", "approx_sign"),
    _inputs("swish_sign", "swish_sign"),
    _inputs("where(x >= 0, 1, -1)", lambda x: tf.where(x >= 0, 1.0, -1.0)),
    _inputs("where(x < 0, -1, 1)", lambda x: tf.where(x < 0, -1.0, 1.0)),
    _inputs("where(x > 0, 1, -1)", lambda x: tf.where(x > 0, 1.0, -1.0)),
    _inputs("where(x > 0.25, 1, -1)", step),
    _inputs("where(x <= 0.25, 1, -1): falling", lambda x: tf.where(x <= 0.25, 1.0, -1.0)),
    _inputs("2 cast(x >= 0) - 1", lambda x: 2 * tf.cast(x >= 0, tf.float32) - 1),
    _inputs("sign(sign(x) + 0.5)", lambda x: tf.sign(tf.sign(x) + 0.5)),
    _inputs("Heaviside", "ste_heaviside", {"LceBconv2d": 1}, **ONES),
    _inputs("DoReFa, 1 bit", lambda x: larq.quantizers.DoReFa(1)(x), {"LceBconv2d": 1}, padding="valid"),
    _inputs("{-2, 5}", lambda x: tf.where(x < 0.25, -2.0, 5.0), {"LceBconv2d": 1}, padding="valid"),
    _inputs("threshold per channel", lambda x: sign(x - THRESHOLDS)),
    _inputs("direction per channel", lambda x: sign((x - THRESHOLDS) * tf.sign(THRESHOLDS + 0.1))),
    _inputs("window: where(|x| < 1, 1, -1)", lambda x: tf.where(tf.abs(x) < 1, 1.0, -1.0), {"LceBconv2d": 1}),
    _inputs("sign(sqrt(|x|) - 0.75)", lambda x: sign(tf.sqrt(tf.abs(x)) - 0.75), {"LceBconv2d": 1}),
    Family("RSign", chain(Shift, conv), BINARY),
    Family("BN before the sign", chain(norm, conv), BINARY),
    Family("a sign of a sign", chain(lambda: op(sign), lambda: op(lambda x: x * 3 - 1), conv), BINARY),
    _few_bits("tf.sign: 0 at 0", tf.sign),
    _few_bits("ste_tern", "ste_tern"),
    _few_bits("ternary of half steps", ternary),
    _few_bits("DoReFa, 2 bits", lambda x: larq.quantizers.DoReFa(2)(x)),
    _few_bits("DoReFa, 3 bits", lambda x: larq.quantizers.DoReFa(3)(x)),
    _few_bits("DoReFa, 4 bits, valid", lambda x: larq.quantizers.DoReFa(4)(x), padding="valid"),
    _few_bits("HWGQ, 2 bits", hwgq),
    _few_bits("PACT, 2 bits", pact),
    _few_bits("PACT, 2 bits, stride 2", pact, strides=2),
    _kernels("approx_sign", "approx_sign"),
    _kernels("swish_sign", "swish_sign"),
    _kernels("magnitude_aware_sign", "magnitude_aware_sign"),
    _kernels("DoReFa, 1 bit", lambda k: larq.quantizers.DoReFa(1, mode="weights")(k)),
    _kernels("XNOR-Net", xnor_kernel),
    _kernels("IR-Net", centred),
    _kernels("{0, 1}", lambda k: tf.cast(k > 0, tf.float32), {"LceQuantize": 1}),
    _kernels("{-0.25, 1}", lambda k: tf.where(k > 0, 1.0, -0.25), {"LceQuantize": 1}),
    _kernels("{-0.25 s, s} per channel", lambda k: tf.where(k > 0, 1.0, -0.25) * scales(32), {"LceQuantize": 1}),
    _kernels("ste_tern", "ste_tern", {"LceQuantize": 1, "LceBconv2d": 2}),
    _kernels("ternary, scaled", lambda k: ternary(k * 9) * scales(32), {"LceQuantize": 1, "LceBconv2d": 2}),
    _kernels("DoReFa, 2 bits", lambda k: larq.quantizers.DoReFa(2, mode="weights")(k), {"LceBconv2d": 2}),
    _kernels("DoReFa, 3 bits", lambda k: larq.quantizers.DoReFa(3, mode="weights")(k), {"LceBconv2d": 3}),
    _kernels("sum of two signs (ABC-Net)", two_bases, {"LceBconv2d": 2}),
    _kernels("scale 0 in one channel", lambda k: sign(k) * tf.constant([0.0] + [1.0] * 31)),
    _kernels("scale 1e-8 in one channel", lambda k: sign(k) * tf.constant([1e-8] + [1.0] * 31)),
    _kernels("all zero", lambda k: k * 0.0, {}),
    _kernels('"dorefa_quantizer", that is for activations', "dorefa_quantizer", {}),
    Family(
        "2 bits each (DoReFa)",
        chain(
            lambda: conv(input_quantizer=pact, kernel_quantizer=lambda k: larq.quantizers.DoReFa(2, mode="weights")(k))
        ),
        {"CONV_2D": 0},
    ),
    Family(
        "ternary each", chain(lambda: valid(input_quantizer="ste_tern", kernel_quantizer="ste_tern")), {"CONV_2D": 0}
    ),
    _refused("input magnitude_aware_sign", "its input is not quantized", input_quantizer="magnitude_aware_sign"),
    _refused("input tanh: no steps", "it is not known to be monotone", input_quantizer=tf.tanh),
    _refused("input round(x): unbounded", "takes more than", input_quantizer=tf.round),
    _refused("input hard tanh: no steps", "takes more than", input_quantizer=larq.activations.hard_tanh),
    _refused("input DoReFa, 8 bits", "takes more than", input_quantizer=lambda x: larq.quantizers.DoReFa(8)(x)),
    _refused("float kernel, binary input", "on no grid", kernel_quantizer=None),
    _refused("kernel of 8 bits", "on no grid", kernel_quantizer=lambda k: tf.round(k * 500) / 500),
    _refused(
        "kernel with infinity", "not finite", kernel_quantizer=lambda k: sign(k) / tf.constant([0.0] + [1.0] * 31)
    ),
]
