"""Methods that leave the inputs of layers float, and binarize or round weights alone."""

from typing import Any

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.methods.method import Method
from mobile_bnn.typing import KerasTensor


class FloatInputs(Method):
    """A ReLU stands where a binary layer would binarize its input, so that the network stays nonlinear."""

    pad_value = 0.0

    def input_quantizer(self) -> None:
        """No quantizer; `conv2d` and `dense` apply a ReLU before the layer instead."""

    def conv2d(self, x: KerasTensor, *shape: Any, binary_input: bool = True, name: str, **options: Any) -> KerasTensor:
        """A convolution of max(x, 0)."""
        x = keras2.layers.ReLU(name=f"{name}_relu")(x) if binary_input else x
        return super().conv2d(x, *shape, binary_input=binary_input, name=name, **options)

    def dense(self, x: KerasTensor, units: int, *, binary_input: bool = True, name: str) -> KerasTensor:
        """A dense layer of max(x, 0)."""
        x = keras2.layers.ReLU(name=f"{name}_relu")(x) if binary_input else x
        return super().dense(x, units, binary_input=binary_input, name=name)
