"""In which images a value within a network lies so near to a step that rounding alone can push it over."""

from typing import Any

import numpy as np

from mobile_bnn.converters.layers import flatten
from mobile_bnn.legacy_keras import tf

# A share of the largest value: sums of a few hundred terms in another order differ by as much.
NEAR = 2e-6


def images_with_ties(model: Any, images: np.ndarray) -> np.ndarray:
    """Bool [N]. Ties that are exact do not count: of the image's own values, and of sums of integers."""
    ties = np.zeros(len(images), bool)
    quantized = [layer for layer in flatten(model) if getattr(layer, "input_quantizer", None)]
    quantizers = [layer.input_quantizer for layer in quantized]

    def watch(quantizer: Any) -> Any:
        def watched(x: Any) -> Any:
            if not np.array_equal(x, images) and not _exact(x):
                near = NEAR * tf.reduce_max(tf.abs(x), axis=range(1, len(x.shape)), keepdims=True)
                ties[:] |= np.any(quantizer(x - near) != quantizer(x + near), axis=tuple(range(1, len(x.shape))))
            return quantizer(x)

        return watched

    try:
        for layer, quantizer in zip(quantized, quantizers, strict=True):
            layer.input_quantizer = watch(quantizer)
        model(tf.constant(images), training=False)
    finally:
        for layer, quantizer in zip(quantized, quantizers, strict=True):
            layer.input_quantizer = quantizer
    return ties


def _exact(x: Any) -> bool:
    """Whether all values are small multiples of 1/64, whose sums are the same in any order.

    Not if all are 0: so they are too where terms of any size cancel, which in another order leave a rounding.
    """
    scaled = np.asarray(x) * 64
    return bool(scaled.any() and (np.abs(scaled) < 2**24).all() and (scaled == np.rint(scaled)).all())
