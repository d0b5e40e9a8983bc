"""Batch norms of a Keras model, and the constants that its exporter folded them into.

Keras computes (x - mean) * g + beta with g = gamma / sqrt(variance + epsilon), the exported graph g * x + offset with
offset = beta - mean * g. Where these two cancel out the offset is small, and Keras rounds the larger terms.
"""

from collections import defaultdict

import numpy as np

from mobile_bnn.converters.graph.model import Graph, Tensor
from mobile_bnn.converters.keras.layers import flatten
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array, KerasLayer, KerasModel

_FOLDED = 2.0**-20  # of the terms: float32 roundings of the exporter


def term_magnitudes(model: KerasModel, graph: Graph) -> dict[Tensor, Array]:
    """For constants that a batch norm was folded into, how large its terms are.

    Args:
        model: the Keras model.
        graph: that was exported from it.

    Returns:
        By the constant, float64 in its shape; batch norms whose terms do not cancel out are left out.
    """
    known = _offsets(model)
    found = dict[Tensor, Array]()
    for tensor in graph.tensors() if known else ():
        values = tensor.values if tensor.dtype == np.float32 else None
        if values is None or values.size not in known:
            continue
        for offset, magnitude in known[values.size]:
            if (np.abs(np.abs(values.reshape(-1)) - np.abs(offset)) <= _FOLDED * magnitude).all():
                found[tensor] = np.maximum(found.get(tensor, 0.0), magnitude.reshape(values.shape))
    return found


def _offsets(model: KerasModel) -> dict[int, list[tuple[Array, Array]]]:
    """The offsets of all batch norms, also after biases of layers as wide, and the sums of their absolute terms."""
    layers = list(flatten(model))
    biases = [np.zeros(())] + [
        np.asarray(b, np.float64) for layer in layers if (b := _variable(layer, "bias")) is not None
    ]
    found = defaultdict[int, list[tuple[Array, Array]]](list)
    for layer in layers:
        if not isinstance(layer, tf.keras.layers.BatchNormalization):
            continue
        mean, variance = (np.asarray(each, np.float64) for each in (layer.moving_mean, layer.moving_variance))
        factor = 1 / np.sqrt(variance + layer.epsilon)
        gamma, beta = _variable(layer, "gamma"), _variable(layer, "beta")
        factor = factor if gamma is None else factor * gamma
        shift = np.zeros_like(mean) if beta is None else beta
        for bias in (each for each in biases if each.shape in ((), mean.shape)):
            magnitude = np.abs(shift) + (np.abs(mean) + np.abs(bias)) * np.abs(factor)
            found[mean.size].append((shift + (bias - mean) * factor, magnitude))
    return found


def _variable(layer: KerasLayer, name: str) -> Array | None:
    variable = getattr(layer, name, None)
    return np.asarray(variable, np.float64) if isinstance(variable, tf.Variable) else None
