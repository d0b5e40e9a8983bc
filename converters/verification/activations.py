"""Decodes a binary layer's input activations from the packed bits: middle + sum of half_i * s_i (encoding.py)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mobile_bnn.converters.lowering import Layer, Lowering
from mobile_bnn.converters.quantizers.encoding import Encoding
from mobile_bnn.typing import Array


@dataclass(frozen=True)
class Given:
    """What a layer reads in a binary file.

    Attributes:
        values: quantized, float32 [N, ...].
        gap: between the levels that are nearest to each other.
    """

    values: Array
    gap: float

    def differ(self, quantized: Array) -> Array:
        """Where a quantizer gave another level, bool in its shape."""
        differs: Array = np.abs(quantized - self.values.reshape(quantized.shape)) > self.gap / 4
        return differs


def read(layer: Layer, bits: Sequence[Array], samples: int, *, opposite: bool) -> Given | None:
    """What a layer reads.

    Args:
        layer: as it was lowered.
        bits: for each of its operators, bool [N, H, W, C], True for -1.
        samples: N.
        opposite: whether the bits mean the opposite signs.

    Returns:
        None if the file has not as many operators for the layer as the rules made, or maps of another size.
    """
    if len(bits) != len(layer.reads):
        return None
    terms = layer.reads[0].sum
    shape = (samples, *terms.source.shape[1:])
    first: dict[int, Array] = {}
    for sign, found, before in zip(layer.reads, bits, padding_before(layer, len(bits)), strict=True):
        inner = within(found, (samples, *layer.data.shape[1:]), before)
        if inner is None or inner.size != np.prod(shape):
            return None
        if not np.array_equal(first.setdefault(sign.number, inner), inner):
            return None
    signs = [inner.reshape(shape) ^ opposite for inner in first.values()]
    values = _values(terms, signs).reshape(samples, *layer.data.shape[1:])
    return Given(values, float(np.diff(terms.levels.above).min()))


def _values(terms: Encoding, negative: list[Array]) -> Array:
    """The sum of signs, of which some are -1: the nearest level, float32."""
    base, above = terms.levels.base, terms.levels.above
    if len(negative) == 1:
        return np.where(negative[0], base.astype(np.float32), (base + above[-1]).astype(np.float32))
    amplitudes = zip(terms.amplitudes, negative, strict=True)
    total = terms.middle - base + sum(np.where(bits, -half, half) for half, bits in amplitudes)
    index = np.abs(total[..., None] - above).argmin(-1)
    return np.asarray(base + above[index], np.float32)


def is_sample_by_sample(lowering: Lowering, layer: Layer) -> bool:
    """Whether what a layer reads can be given to it: it is computed, in floats, for each sample."""
    inputs = lowering.floats.inputs
    batches = {layer.data.shape[:1], inputs[0].shape[:1], *(sign.sum.source.shape[:1] for sign in layer.reads)}
    return bool(layer.reads) and layer.data not in inputs and layer.data.dtype == np.float32 and len(batches) == 1


def padding_before(layer: Layer, operators: int) -> list[tuple[int, int]]:
    """Padding above and on the left that each of so many operators of a layer may have around its bits."""
    own = [sign.before for sign in layer.reads] if len(layer.reads) == operators else [(0, 0)] * operators
    return [before if any(before) else layer.before for before in own]


def within(bits: Array, shape: tuple[int, ...], before: tuple[int, int]) -> Array | None:
    """The bits of the map itself, in its shape: without padding around it, of which `before` is above and on the left.

    A sequence [N, L, C] is a map of one row.
    """
    if bits.size == np.prod(shape):
        return bits.reshape(shape)
    if bits.ndim != 4 or len(shape) not in (3, 4):
        return None
    height, width = (1, *shape[1:-1])[-2:]
    top, left = before if bits.shape[1:3] != (height, width) else (0, 0)
    inner = bits[:, top : top + height, left : left + width, : shape[-1]]  # the last word may have more
    return inner.reshape(shape) if inner.size == np.prod(shape) else None
