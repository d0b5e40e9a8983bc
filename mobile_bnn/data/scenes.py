"""Composes synthetic scenes: small pictures of several objects on a textured ground, with exact boxes and masks.

Nothing in them was seen by a camera: objects are cut out of another data set's images, resized, tinted and laid on
noise. They are for trying detection and segmentation without a download, not for comparing with published figures.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mobile_bnn.runtime.images import resize
from mobile_bnn.typing import Array, Floats

MOST_OBJECTS = 4
SIDES = (0.28, 0.5)  # of an object's image, as a share of the scene's
_OVERLAP = 0.15  # of the smaller of two objects' boxes, at most
_TRIES = 20
_OPAQUE = 24  # of 255: darker pixels at an object's edge are ground
_GROUND = (10.0, 150.0)  # brightness
_TINT = (0.45, 1.0)


@dataclass(frozen=True)
class Scene:
    """A picture and what is in it.

    Attributes:
        pixels: uint8 [side, side, 3].
        boxes: of each object's visible pixels, (y0, x0, y1, x1) in 0 to 1, float32 [objects, 4].
        labels: int64 [objects].
        mask: uint8 [side, side]: 0 for the ground, an object's label + 1 elsewhere.
    """

    pixels: npt.NDArray[np.uint8]
    boxes: Floats
    labels: Array
    mask: npt.NDArray[np.uint8]


def compose(images: Array, labels: Array, side: int, rng: np.random.Generator) -> Scene:
    """A scene of 1 to 4 of these objects.

    Args:
        images: one object on black in each, uint8 [N, h, w].
        labels: int64 [N].
        side: height and width in pixels.
        rng: makes all choices.
    """
    pixels, owner = _ground(side, rng), np.full((side, side), -1)
    placed: list[tuple[int, int, int, int]] = []
    found: list[int] = []
    for _ in range(int(rng.integers(1, MOST_OBJECTS + 1))):
        chosen = int(rng.integers(len(images)))
        values, solid = _cut_out(images[chosen], side, rng)
        place = _free_place(solid.shape, side, placed, rng)
        if place is None:
            continue
        top, left = place
        window = np.s_[top : top + solid.shape[0], left : left + solid.shape[1]]
        tint = rng.uniform(*_TINT, 3).astype(np.float32)
        pixels[window][solid] = (values[..., None] * tint)[solid]
        owner[window][solid] = len(placed)
        placed.append((top, left, top + solid.shape[0], left + solid.shape[1]))
        found.append(int(labels[chosen]))
    mask = np.append(np.array(found) + 1, 0)[owner].astype(np.uint8)
    boxes = np.array([_extent(owner == number) for number in range(len(found))], np.float32) / side
    return Scene(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), boxes, np.array(found, np.int64), mask)


def _ground(side: int, rng: np.random.Generator) -> Floats:
    """Smooth colours, stripes and noise: float32 [side, side, 3]."""
    coarse = rng.uniform(*_GROUND, (int(rng.integers(2, 6)), int(rng.integers(2, 6)), 3))
    pixels = resize(coarse.astype(np.float32), side, side)
    rows, columns = np.mgrid[:side, :side] / side
    angle, waves = rng.uniform(0, np.pi), rng.uniform(2, 12)
    stripes = np.sin(2 * np.pi * waves * (rows * np.sin(angle) + columns * np.cos(angle)))
    pixels += (rng.uniform(0, 30) * stripes[..., None] * rng.uniform(0, 1, 3)).astype(np.float32)
    return pixels + rng.normal(0, rng.uniform(2, 12), pixels.shape).astype(np.float32)


def _cut_out(image: Array, side: int, rng: np.random.Generator) -> tuple[Floats, Array]:
    """An object at a random size, maybe mirrored: brightness float32 [h, w], and which pixels are its own."""
    size = round(side * rng.uniform(*SIDES))
    values = resize(image[..., None], size, size)[..., 0]
    values = values[:, ::-1] if rng.random() < 0.5 else values
    solid = ndimage.binary_fill_holes(values > _OPAQUE)
    if not solid.any():  # a black image
        solid = np.ones_like(solid)
    top, left, bottom, right = _extent(solid)
    return values[top:bottom, left:right], solid[top:bottom, left:right]


def _extent(inside: Array) -> tuple[int, int, int, int]:
    """The box around the pixels that are True: (first row, first column, row after the last, column after it)."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _free_place(
    size: tuple[int, ...], side: int, placed: list[tuple[int, int, int, int]], rng: np.random.Generator
) -> tuple[int, int] | None:
    """Where an object hides little of the others; None if no such place was found."""
    for _ in range(_TRIES):
        top, left = (int(rng.integers(0, side - length + 1)) for length in size)
        box = (top, left, top + size[0], left + size[1])
        if all(_shared(box, other) <= _OVERLAP for other in placed):
            return top, left
    return None


def _shared(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    height = min(one[2], other[2]) - max(one[0], other[0])
    width = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(height, 0) * max(width, 0) / smaller
