"""A filter of few values, with or without groups, as binary filters whose groups are made of whole words.

Groups of a multiple of 32 channels, or one group, are what LceBconv2d computes. Others are joined: a block of the
least common multiple of 32 and a group's channels is one group of a filter that is 0 where an output does not look. A
zero is half the sum of a sign and its opposite, so w = s * B becomes two binary filters of scale s / 2; with a grid
that has a point 0 there are no more than without groups. The last block may have channels that the map has not: there
the filter is 0, and so are its outputs after the last one. Where blocks do not end with the map's last word, the whole
map is one. All this takes fewer operators than a SPLIT, a convolution for each group and a CONCATENATION.
"""

from dataclasses import dataclass
from math import lcm

import numpy as np

from mobile_bnn.converters.quantizers.weights import Base, binary_weights
from mobile_bnn.converters.refusals import NoMatch
from mobile_bnn.typing import Array


@dataclass(frozen=True)
class Filter:
    """A filter as a sum of binary ones.

    Attributes:
        values: float32 [O, H, W, channels of a group].
        bases: of the same shape.
        channels: of the input, with those that fill the last block.
        outputs: without those of the last block's missing channels.
    """

    values: Array
    bases: list[Base]
    channels: int
    outputs: int

    def viewed(self, size: tuple[int, int, int]) -> "Filter":
        """The same numbers as a filter of that height and width over so many channels, in one group."""
        shape = (len(self.values), *size)
        bases = [Base(base.signs.reshape(shape), base.scale) for base in self.bases]
        return Filter(self.values.reshape(shape), bases, size[2], self.outputs)

    def per_output(self, channels: Array) -> Array:
        """A number for each input channel as those that each output reads: float64 [O, channels of a group]."""
        groups = channels.reshape(-1, self.values.shape[3])
        return np.repeat(groups, len(self.values) // len(groups), axis=0)


def binary_filter(values: Array, channels: int) -> Filter:
    """Takes a filter apart.

    Args:
        values: float32 [O, H, W, channels of a group].
        channels: of the input.

    Raises:
        NoMatch: it is not a sum of binary ones.
    """
    bases = _bases(values)
    size = values.shape[3]
    if size == channels or size % 32 == 0:
        return Filter(values, bases, channels, len(values))
    block = lcm(size, 32)
    filled = -(-channels // block) * block
    if channels < block or filled - channels >= 32:
        block = filled = channels
    whole = _joined(values, channels, block)
    try:
        joined = _bases(whole)
    except NoMatch:  # no grid has both its values and 0
        joined = [half for base in bases for half in _joined_base(base, channels, block)]
    return Filter(whole, joined, filled, len(values))


def _bases(values: Array) -> list[Base]:
    """The terms of a filter, what all weights of a channel have in common being one of them."""
    found = binary_weights(np.asarray(values, np.float32))
    return found.bases + ([Base(np.zeros(values.shape, bool), found.offset)] if found.offset.any() else [])


def _joined_base(base: Base, channels: int, block: int) -> list[Base]:
    """A binary filter over blocks of channels: two that are opposite where an output's group is not."""
    reads = _joined(np.ones(base.signs.shape, bool), channels, block)
    signs = _joined(base.signs, channels, block)
    scale = np.pad(base.scale / 2, (0, len(signs) - len(base.scale)))
    return [Base(signs, scale), Base(signs | ~reads, scale)]


def _joined(values: Array, channels: int, block: int) -> Array:
    """The filter over blocks of channels, 0 where an output's group is not, with the outputs of all blocks."""
    outputs, height, width, size = values.shape
    groups_of_block, blocks = block // size, -(-channels // block)
    outputs_of_group = outputs * size // channels
    place = np.arange(outputs) // outputs_of_group % groups_of_block
    joined = np.zeros((blocks * groups_of_block * outputs_of_group, height, width, groups_of_block, size), values.dtype)
    joined[np.arange(outputs), :, :, place] = values
    return joined.reshape(*joined.shape[:3], block)
