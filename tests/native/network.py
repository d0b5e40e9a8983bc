"""A small binary network and what it computes, in NumPy."""

from collections.abc import Callable

import numpy as np
from numpy_bconv import BconvCase
from single_operator import TensorSpec, chain


def network() -> tuple[bytes, Callable[[np.ndarray], np.ndarray]]:
    """Quantize, a bit-packed convolution, pooling, a float convolution: one partition, three tensors inside it.

    Returns:
        The file, whose batch and size are open, and what it gives for float32 [N, H, W, 64].
    """
    first = BconvCase(0, size=(9, 9), channels=64, outputs=96, output="bits")
    second = BconvCase(1, size=(4, 4), channels=96, outputs=10, padding="same_zero", activation=1)
    pool = {"padding": 1, "filter_height": 2, "filter_width": 2, "stride_height": 2, "stride_width": 2}
    image, words = TensorSpec((1, 9, 9, 64), signature=(-1, -1, -1, 64)), TensorSpec((1, 9, 9, 2), np.int32)
    inner, pooled = first.output_spec(), TensorSpec((1, 4, 4, 3), np.int32)
    model = chain(
        [
            ("LceQuantize", [image], words, b""),
            ("LceBconv2d", [words, *first.inputs()[1:]], inner, first.options()),
            ("LceBMaxPool2d", [inner], pooled, pool),
            ("LceBconv2d", [pooled, *second.inputs()[1:]], second.output_spec(), second.options()),
        ]
    )

    def expected(x: np.ndarray) -> np.ndarray:
        first.signs = x < 0
        bits = first.filter[0].size
        signs = bits - first.dot_products() > 2 * first.threshold
        height, width = signs.shape[1] // 2 * 2, signs.shape[2] // 2 * 2
        windows = signs[:, :height, :width].reshape(x.shape[0], height // 2, 2, width // 2, 2, -1)
        second.signs = windows.all(axis=(2, 4))
        return second.expected()

    return model, expected
