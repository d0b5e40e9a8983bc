"""The boxes that a detector begins from, and how its outputs move them. NumPy only.

Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016: every cell of every map has one box ("default box", here
anchor) for each aspect ratio, of a scale that grows linearly from map to map (section 2.2, equation 4), and one more
square between its map's scale and the next one's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mobile_bnn.tasks.boxes import from_centers, to_centers
from mobile_bnn.typing import Array, Floats

CENTER_VARIANCE, SIZE_VARIANCE = 0.1, 0.2  # of the authors' code: they bring offsets to about unit variance
_LARGEST_LOG_SIZE = 10.0  # an untrained or damaged network must not overflow exp
_SMALLEST_SIDE = 1e-6


@dataclass(frozen=True)
class Anchors:
    """The anchors of a network.

    Attributes:
        maps: (height, width) of each map with predictions, the finest first.
        smallest, largest: scales of the first and the last map, as shares of the image's sides.
        ratios: width over height.
    """

    maps: Sequence[Sequence[int]]
    smallest: float
    largest: float
    ratios: Sequence[float]

    @property
    def per_cell(self) -> int:
        """How many each cell of a map has."""
        return len(self.ratios) + 1

    @property
    def count(self) -> int:
        """Of all maps together."""
        return sum(height * width for height, width in self.maps) * self.per_cell

    def scales(self) -> Floats:
        """Of each map, and one more for what lies between the last map's and the next one's: float32 [maps + 1]."""
        count = len(self.maps)
        step = (self.largest - self.smallest) / max(count - 1, 1)
        return np.asarray(self.smallest + step * np.arange(count + 1), np.float32)

    def centers(self) -> Floats:
        """(center y, center x, height, width) of each, map after map, row by row: float32 [count, 4].

        Heights and widths are shares of the image's height and width: on an image that is not square, anchors have
        its proportions.
        """
        scales, parts = self.scales(), []
        for (height, width), scale, larger in zip(self.maps, scales[:-1], scales[1:], strict=True):
            roots = np.sqrt(np.asarray(self.ratios, np.float32))
            between = np.sqrt(scale * larger)
            sizes = np.stack([np.append(scale / roots, between), np.append(scale * roots, between)], -1)
            rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
            cells = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 1, 2)
            cells = np.broadcast_to(cells, (height * width, self.per_cell, 2))
            parts.append(np.concatenate([cells, np.broadcast_to(sizes, cells.shape)], -1).reshape(-1, 4))
        return np.concatenate(parts, dtype=np.float32)

    def boxes(self) -> Floats:
        """Their corners (y0, x0, y1, x1), float32 [count, 4]; those at the border reach over it."""
        return from_centers(self.centers())


def map_sizes(image: Sequence[int], strides: Sequence[int]) -> list[list[int]]:
    """(height, width) of the maps of these strides over an image of (height, width): rounded up, as "same" pads."""
    return [[-(-image[0] // stride), -(-image[1] // stride)] for stride in strides]


def encode(boxes: Array, centers: Array) -> Floats:
    """The offsets that move anchors to boxes (SSD, equation 2), each divided by its variance.

    Args:
        boxes: corners [..., 4].
        centers: of the anchors that they belong to, [..., 4].

    Returns:
        float32 [..., 4]: of center y, center x, log height, log width.
    """
    wanted = to_centers(boxes)
    moved = (wanted[..., :2] - centers[..., :2]) / centers[..., 2:] / CENTER_VARIANCE
    sides = np.maximum(wanted[..., 2:], _SMALLEST_SIDE)
    grown = np.log(sides / centers[..., 2:]) / SIZE_VARIANCE
    return np.concatenate([moved, grown], -1, dtype=np.float32)


def decode(offsets: Array, centers: Array) -> Floats:
    """The inverse of `encode`: corners, float32 [..., 4]."""
    middle = offsets[..., :2] * CENTER_VARIANCE * centers[..., 2:] + centers[..., :2]
    logs = np.clip(offsets[..., 2:] * SIZE_VARIANCE, -_LARGEST_LOG_SIZE, _LARGEST_LOG_SIZE)
    return from_centers(np.concatenate([middle, np.exp(logs) * centers[..., 2:]], -1))
