"""Which call of a Keras layer is which layer of the float file.

A layer that is called several times has one name for all of them, and Keras runs them in the order in which the model
was written, a converter in another one. So they are told apart by what they read: the call and the layer that belong
together read the same numbers, but for what rounding explains. Where several read the same ones it does not matter
which is which, on these samples.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile_bnn.typing import Array

if TYPE_CHECKING:
    from mobile_bnn.converters.keras.layers import Call
    from mobile_bnn.converters.verification.reference import LayerInput

_LEVEL = 1e-5  # two evaluations of one level of a quantizer


def pair_calls(calls: "Sequence[Call]", layers: "Sequence[LayerInput]") -> tuple[list[int], bool]:
    """Pairs calls with layers.

    Args:
        calls: of the Keras model, in their order.
        layers: of the float file, on the same inputs, in the order of their numbers.

    Returns:
        For each call the number of its layer. A further call on the same numbers has the same one, for a converter
        computes it once; what the file does not compute, such as a call on a constant, has -1. And whether there is no
        other way to pair them.
    """
    named = [(c, n) for c, call in enumerate(calls) for n, layer in enumerate(layers) if call.layer == layer.layer]
    apart = {(c, n): _differing(calls[c].quantized, layers[n]) for c, n in named}
    places = _places([call.layer for call in calls]), _places([layer.layer for layer in layers])
    # Of those that read the same, and of maps of other sizes, which cannot be compared, the first is the first.
    given = assign({(c, n): (apart[c, n], abs(places[0][c] - places[1][n])) for c, n in named})
    taken = {n: c for c, n in given.items()}
    numbers = [given.get(c, -1) for c in range(len(calls))]
    for c, n in named:
        if numbers[c] < 0 and np.array_equal(calls[c].real, calls[taken[n]].real):
            numbers[c] = n
    alike = any(apart[c, n] == 0 and numbers[c] != n and numbers[c] != numbers[taken[n]] for c, n in named)
    return numbers, not alike


def assign(apart: Mapping[tuple[int, int], Any]) -> dict[int, int]:
    """Pairs two kinds of things, the nearest first, and of those that are as near the first.

    Args:
        apart: how far they are from each other, by the numbers of two that may be a pair.

    Returns:
        For things of the first kind the number of one of the second kind, none twice.
    """
    found, taken = dict[int, int](), set[int]()
    for one, other in sorted(apart, key=lambda pair: (apart[pair], pair)):
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found


def _differing(quantized: Array, layer: "LayerInput") -> float:
    """How many numbers differ by more than rounding; infinite for a map of another size."""
    return float("inf") if (same := agree(quantized, layer)) is None else float((~same).sum())


def agree(quantized: Array, layer: "LayerInput") -> Array | None:
    """Where a call gets what a layer of the file gets, or rounding explains what else; None for a map of another size.

    Args:
        quantized: of the call.
        layer: of the file.
    """
    if layer.near.size != quantized.size:
        return None
    shape = quantized.shape
    same = np.isclose(layer.quantized.reshape(shape), quantized, _LEVEL, _LEVEL)
    return np.asarray(same | layer.near.reshape(shape))


def _places(names: Sequence[str]) -> list[int]:
    """For each name how often it came before."""
    return [names[:at].count(name) for at, name in enumerate(names)]
