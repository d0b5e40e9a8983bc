"""An LceBconv2d's parts, which the rules after binarization read and change.

Its value is multiplier * clamp(sum) + bias, where the sum is terms - 2 * accumulator: the accumulator counts the signs
that differ, and the clamp is that of a fused activation. Bit-packed, its bit is 1 (for -1) where the accumulator is
above the channel's threshold.
"""

from collections.abc import Sequence

import numpy as np

from mobile_bnn.converters.graph.bit_packing import pack
from mobile_bnn.converters.graph.model import Graph, Operator, Tensor
from mobile_bnn.converters.refusals import NoMatch, RefusalCode
from mobile_bnn.typing import Array

# LCE's numbers of fused activations, which are also the schema's.
ACTIVATIONS = {"RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
KIND_OF = {number: kind for kind, number in ACTIVATIONS.items()}
_LIMITS = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}
_SAME = 0


def scale_and_bias(bconv: Operator) -> tuple[Array, Array]:
    """Multiplier and bias, each float64 [O].

    Raises:
        NoMatch: it writes no floats.
    """
    multiplier, bias = (None if tensor is None else tensor.values for tensor in bconv.inputs[2:4])
    if bconv.output.dtype != np.float32 or multiplier is None or bias is None:
        raise NoMatch(RefusalCode.TYPE_UNSUPPORTED, "the binary convolution does not write floats")
    return multiplier.astype(np.float64), bias.astype(np.float64)


def pads_with_zeros(bconv: Operator) -> bool:
    """Whether taps outside the map add nothing."""
    options = bconv.custom_options
    return bool(options["padding"] == _SAME and options["pad_values"] == 0)


def terms_of(bconv: Operator) -> int:
    """How many signs are summed where every tap lies inside the map."""
    _, height, width, _ = _words(bconv).shape
    return int(height * width * _channels(bconv))


def accumulator_values(bconv: Operator) -> Array:
    """Every sum that can come out of it, rising, before its activation: float64 [sums]."""
    terms = terms_of(bconv)
    return np.arange(-terms, terms + 1, 1 if pads_with_zeros(bconv) else 2).astype(np.float64)


def clamped(bconv: Operator, values: Array) -> Array:
    """Sums after the fused activation."""
    low, high = _LIMITS[bconv.custom_options["fused_activation_function"]]
    return np.clip(values, low, high)


def negated_outputs(bconv: Operator, channels: Array) -> Tensor:
    """The filter with the signs of some output channels turned around, bool [O]: so are those channels' sums."""
    whole = pack(np.ones(_channels(bconv), bool))
    return _filter(bconv, np.where(channels[:, None, None, None], whole, 0))


def negated_inputs(bconv: Operator, channels: Array) -> Tensor:
    """The filter for an input with the signs of some channels turned around, bool [I]. It must have one group."""
    return _filter(bconv, pack(channels))


def has_groups(bconv: Operator) -> bool:
    """Whether a filter reads a part of the channels only."""
    return bool(bconv.input(1).shape[3] * 32 < bconv.custom_options["channels_in"])


def replaced(graph: Graph, bconv: Operator, output: Tensor, inputs: Sequence[Tensor | None], **options: int) -> None:
    """Puts another LceBconv2d in an LceBconv2d's place.

    Args:
        graph: is changed.
        bconv: the one that goes.
        output: of the new one.
        inputs: of the new one after its image: filter, multiplier, bias, threshold.
        options: where they differ.
    """
    new = Operator.custom("LceBconv2d", [bconv.inputs[0], *inputs], [output], {**bconv.custom_options, **options})
    graph.substitute(bconv, new)


def _words(bconv: Operator) -> Array:
    """The packed filter: int32 [O, height, width, words of a group]."""
    return bconv.constant(1)


def _channels(bconv: Operator) -> int:
    """Channels that a filter reads: those of a group."""
    return int(min(_words(bconv).shape[3] * 32, bconv.custom_options["channels_in"]))


def _filter(bconv: Operator, turned: Array) -> Tensor:
    """A filter with some bits turned around under the name of the old one, which tells the layer."""
    return Tensor.constant(bconv.input(1).name, _words(bconv) ^ turned)
