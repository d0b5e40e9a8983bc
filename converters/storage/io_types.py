"""Inputs and outputs of int8: from the numbers that they stand for, and back."""

import numpy as np

from mobile_bnn.typing import Array, TensorDetail


def as_input(array: Array, detail: TensorDetail) -> Array:
    """Float32 samples as an input of int8 stores them; any others as they are.

    Args:
        array: the samples.
        detail: of the input, as LiteRT describes it.
    """
    scale, zero_point = detail["quantization"]
    if detail["dtype"] != np.int8 or array.dtype != np.float32 or not scale:
        return array
    rounded: Array = np.clip(np.round(array / scale) + zero_point, -128, 127).astype(np.int8)
    return rounded


def as_output(values: Array, detail: TensorDetail) -> Array:
    """What an output of int8 stands for, in float32; any other as it is.

    Args:
        values: the output.
        detail: of the output, as LiteRT describes it.
    """
    scale, zero_point = detail["quantization"]
    if values.dtype != np.int8 or not scale:
        return values
    scaled: Array = (values.astype(np.float32) - zero_point) * np.float32(scale)
    return scaled
