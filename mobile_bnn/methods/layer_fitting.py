"""Fits binary or ternary codes to a trained layer's answers, one layer after the other.

What a method's phase may do before its first step: it sees the model and a batch of images. NumPy alone, but for the
layer's own inputs.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from mobile_bnn.typing import Array, KerasLayer, KerasModel, KerasTensor

_MOST_ROWS = 8192  # of a layer's inputs; more are thinned out evenly


def quantized_layers(model: KerasModel) -> list[KerasLayer]:
    """The layers with a kernel quantizer, in the model's order."""
    return [layer for layer in model.layers if getattr(layer, "kernel_quantizer", None) is not None]


def layer_rows(model: KerasModel, layer: KerasLayer, images: KerasTensor) -> Array:
    """What the filters of a layer see of a batch, as the model is now: float64 [groups, rows, weights of a filter]."""
    from mobile_bnn.legacy_keras import tf

    x = tf.keras.Model(model.inputs, layer.input)(images, training=False)
    if layer.input_quantizer is not None:
        x = layer.input_quantizer(x)
    groups = getattr(layer, "groups", 1)
    return np.stack([_rows(layer, each) for each in tf.split(x, groups, axis=-1)])


def _rows(layer: KerasLayer, x: KerasTensor) -> Array:
    from mobile_bnn.legacy_keras import tf

    if len(x.shape) == 4:
        size, strides, dilation = layer.kernel_size, layer.strides, layer.dilation_rate
        if layer.padding == "same":
            around = layer._get_spatial_padding_same(x.shape[1:3])
            x = tf.pad(x, [[0, 0], *around, [0, 0]], constant_values=float(layer.pad_values))
        x = tf.image.extract_patches(x, [1, *size, 1], [1, *strides, 1], [1, *dilation, 1], "VALID")
    rows: Array = np.asarray(tf.reshape(x, (-1, x.shape[-1])), np.float64)
    return rows[:: -(-len(rows) // _MOST_ROWS)]


def filters_of_groups(kernel: Array, groups: int) -> Iterator[tuple[slice, Array]]:
    """Which filters a group has, and they as columns in float64."""
    each = kernel.shape[-1] // groups
    for group in range(groups):
        place = slice(group * each, (group + 1) * each)
        yield place, kernel[..., place].reshape(-1, each).astype(np.float64)


def descend(codes: Array, gram: Array, target: Array, scales: Array, alphabet: Sequence[float]) -> Array:
    """One round of cyclic coordinate descent on ‖t − α·Xb‖² of each filter: the best letter for each element in turn.

    Args:
        codes: b as columns, float64 [n, filters].
        gram: XᵀX, [n, n].
        target: Xᵀt, [n, filters].
        scales: α, [filters].
        alphabet: the letters, such as −1 and 1; of equal ones the one that is there, or else the first.

    Returns:
        The codes after the round. The error is no larger than before.
    """
    codes = codes.copy()
    letters = np.asarray(alphabet, np.float64)
    for index in range(len(codes)):
        # ‖t − αXb‖² = … + α²·g·b² − 2α·b·(Xᵀt − α·Σ over the others of G·b) in this element b.
        own = codes[index]
        others = gram[index] @ codes - gram[index, index] * own
        pull = scales * (target[index] - scales * others)
        square = scales**2 * gram[index, index]
        costs = square * letters[:, None] ** 2 - 2.0 * pull * letters[:, None]
        best = costs.argmin(0)
        better = costs[best, np.arange(len(own))] < square * own**2 - 2.0 * pull * own
        codes[index] = np.where(better, letters[best], own)
    return codes


def best_scales(codes: Array, gram: Array, target: Array) -> Array:
    """α = ⟨t, Xb⟩/‖Xb‖² of each filter, 0 where Xb is 0: float64 [filters]."""
    power = np.einsum("nf,nm,mf->f", codes, gram, codes)
    along = (target * codes).sum(0)
    some = power > 1e-12 * max(float(np.trace(gram)), 1e-300)
    return np.where(some, along / np.where(some, power, 1.0), 0.0)
