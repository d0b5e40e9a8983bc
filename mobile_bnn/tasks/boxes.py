"""Overlaps and corners of boxes (y0, x0, y1, x1), see `mobile_bnn.data.box_rows`. NumPy only."""

import numpy as np

from mobile_bnn.typing import Array, Floats

_SMALLEST_AREA = 1e-12  # where both boxes are empty, 0 / 0 is 0


def area(boxes: Array) -> Floats:
    """Of boxes [..., 4], float32 [...]; 0 for ones without height or width."""
    sides = np.maximum(boxes[..., 2:4] - boxes[..., :2], 0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def intersection_over_union(first: Array, second: Array) -> Floats:
    """Of each box of `first` [N, 4] with each of `second` [M, 4]: float32 [N, M]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:4], second[None, :, 2:4])
    sides = np.maximum(high - low, 0)
    common = sides[..., 0] * sides[..., 1]
    union = area(first)[:, None] + area(second)[None] - common
    return np.asarray(common / np.maximum(union, _SMALLEST_AREA), np.float32)


def from_centers(centers: Array) -> Floats:
    """(center y, center x, height, width) [..., 4] as corners."""
    middle, half = centers[..., :2], centers[..., 2:] / 2
    return np.concatenate([middle - half, middle + half], -1, dtype=np.float32)


def to_centers(boxes: Array) -> Floats:
    """Corners [..., 4] as (center y, center x, height, width)."""
    low, high = boxes[..., :2], boxes[..., 2:4]
    return np.concatenate([(low + high) / 2, high - low], -1, dtype=np.float32)
