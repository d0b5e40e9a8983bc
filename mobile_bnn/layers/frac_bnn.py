"""FracBNN's input encoding, its grids, and its convolution with precision gating.

Zhang, Pan, Yao, Liu, Sun, Zhang: "FracBNN: Accurate and FPGA-Efficient Binary Neural Networks with Fractional
Activations", FPGA 2021, sections 3.1 to 3.3.
"""

from typing import Any

import numpy as np

from mobile_bnn.layers.activation_steps import with_gradient
from mobile_bnn.layers.estimators import sign, straight_through_inside
from mobile_bnn.layers.symmetric_padding import SymmetricQuantConv2D
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Options, TfTensor

_REGISTER = tf.keras.utils.register_keras_serializable("mobile_bnn")
_HALF_RANGE = 127.5  # of pixels, which images of [-1, 1] stand for


@_REGISTER
class ThermometerCode(tf.keras.layers.Layer):  # type: ignore[misc]
    """Pixels as thermometers: [N, H, W, C] of [-1, 1] to ±1 [N, H, W, levels·C], the levels of a colour side by side.

    Of a pixel v of 0 to 255, bit j is +1 if v reaches (j + ½)·256/levels, so that as many are as v in steps rounds to.
    """

    def __init__(self, levels: int = 32, **options: object) -> None:
        super().__init__(**options)
        self._levels = levels

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        channels = inputs.shape[-1]
        reached = (np.arange(self._levels) + 0.5) * (256.0 / self._levels) / _HALF_RANGE - 1.0
        repeated = tf.gather(inputs, np.repeat(np.arange(channels), self._levels), axis=-1)
        return sign(repeated - np.tile(reached, channels).astype(np.float32))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "levels": self._levels}


@_REGISTER
class SymmetricGrid(tf.keras.layers.Layer):  # type: ignore[misc]
    """The nearest of 2^bits levels that lie evenly from -1 to 1; backward 1{|x| < 1}."""

    def __init__(self, bits: int = 4, **options: object) -> None:
        super().__init__(**options)
        self._bits = bits

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        steps = 2.0**self._bits - 1.0
        level = tf.round((tf.clip_by_value(inputs, -1.0, 1.0) + 1.0) * (steps / 2.0)) * (2.0 / steps) - 1.0
        return with_gradient(inputs, level, straight_through_inside(inputs, tf.ones([], inputs.dtype)))

    def get_config(self) -> Options:
        """Keras's serialization."""
        return {**super().get_config(), "bits": self._bits}


@_REGISTER
class GatedPrecisionConv2D(SymmetricQuantConv2D):
    """A convolution of 2-bit activations that computes the second bit's part where the first one's is large.

    With s₁ = sign(x) and s₂ = sign(x − ⅔·s₁), ⅔·s₁ + ⅓·s₂ is the nearest of -1, -⅓, ⅓ and 1. The output is
    m = ⅔·s₁ ∗ w, and where m > Δ (a threshold of each filter, -1 at the start) m + ⅓·s₂ ∗ w. Padding is symmetric.
    Backward 1{|x| < 1} to x; the gate is a sigmoid of m − Δ to the gradient of Δ.
    """

    planes = 2  # binary convolutions that it stands for

    def __init__(self, *shape: Any, **options: Any) -> None:
        super().__init__(*shape, **options)
        self.plane_quantizer = sign

    def build(self, input_shape: Any) -> None:
        """Keras's hook."""
        super().build(input_shape)
        low = tf.keras.initializers.Constant(-1.0)
        self.threshold = self.add_weight(name="threshold", shape=(self.filters,), initializer=low)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Keras's hook."""
        inside = straight_through_inside(inputs, tf.ones([], inputs.dtype))
        first = self.plane_quantizer(inputs)
        second = self.plane_quantizer(inputs - (2.0 / 3.0) * first)
        main = (2.0 / 3.0) * super().call(with_gradient(inputs, first, inside))
        rest = (1.0 / 3.0) * super().call(with_gradient(inputs, second, inside))
        above = main - self.threshold
        slope = tf.sigmoid(above) * (1.0 - tf.sigmoid(above))
        # The mask of the forward pass; to the gradient main passes as it is.
        gate = with_gradient(tf.stop_gradient(main) - self.threshold, tf.cast(above > 0.0, main.dtype), slope)
        return main + gate * rest
