"""The data set `synthetic_scenes`: scenes composed here from Fashion-MNIST, for detection and for segmentation.

Training scenes show training items, test scenes test items. A scene depends on its number and its size alone, so the
set is the same on every machine.
"""

from collections.abc import Callable

import numpy as np

from mobile_bnn.data.box_rows import CLASS, COLUMNS, padded
from mobile_bnn.data.in_memory import InMemory
from mobile_bnn.data.info import Augmentation
from mobile_bnn.data.pipeline import Source, Split
from mobile_bnn.data.scenes import MOST_OBJECTS, Scene, compose
from mobile_bnn.errors import UsageError
from mobile_bnn.typing import Array

NAME = "synthetic_scenes"
SIDE = 64
COUNTS = (6000, 1000)  # training, test
ITEMS = ("T-shirt/top", "Trouser", "Dress", "Sneaker", "Bag", "Ankle boot")
"""The items of Fashion-MNIST that are used: those that people tell apart too, at half their size."""

_SMALLEST, _LARGEST = 16, 512
_SEED = 15


def is_name(name: str) -> bool:
    """Whether it is this set's: "synthetic_scenes", or with a number of training scenes, "synthetic_scenes/500"."""
    return name.split("/")[0] == NAME


def read(name: str, items: Callable[[], Source], kind: str, image_size: int | None) -> Source:
    """Composes the scenes.

    Args:
        name: "synthetic_scenes" (6,000 for training and 1,000 to test with), or "synthetic_scenes/COUNT", a sixth of
            which are added to test with.
        items: reads Fashion-MNIST.
        kind: of the targets: "boxes" or "masks".
        image_size: height and width in pixels; 64 if None.

    Raises:
        UsageError: the number or the size is out of range, or the task takes one class for a whole image.
    """
    counts, side = _counts(name), image_size or SIDE
    if not _SMALLEST <= side <= _LARGEST:
        raise UsageError(f"{NAME} has images of {_SMALLEST} to {_LARGEST} pixels a side, not {side}")
    if kind not in ("boxes", "masks"):
        raise UsageError(
            f"{NAME} is not for classification",
            why="its scenes show several objects",
            cure="Train with --task detection or --task segmentation",
        )
    found = items()
    names = {label: number for number, label in enumerate(found.labels)}
    chosen = [names[item] for item in ITEMS]
    parts = [
        _split(part, number, count, chosen, side, kind)
        for number, (part, count) in enumerate(zip((found.train, found.test), counts, strict=True))
    ]
    labels = ITEMS if kind == "boxes" else ("background", *ITEMS)
    return Source(parts[0], None, parts[1], labels, f"synthetic, composed from Fashion-MNIST ({found.origin})")


def _counts(name: str) -> tuple[int, int]:
    _, slash, count = name.partition("/")
    if not slash:
        return COUNTS
    if not count.isdecimal() or not 12 <= int(count) <= 100_000:
        raise UsageError(f"{name!r} names no number of scenes from 12 to 100000", cure=f"For example: {NAME}/500")
    return int(count), max(2, int(count) // 6)


def _split(part: Split, number: int, count: int, chosen: list[int], side: int, kind: str) -> InMemory:
    assert isinstance(part, InMemory)  # 28 × 28 pixels each
    kept = np.flatnonzero(np.isin(part.targets, chosen))
    images, labels = part.images[kept, :, :, 0], np.searchsorted(chosen, part.targets[kept])
    scenes = [compose(images, labels, side, np.random.default_rng([_SEED, number, index])) for index in range(count)]
    targets = np.stack([_boxes(scene) if kind == "boxes" else scene.mask for scene in scenes])
    # Objects stand anywhere, so shifts add little; shoes already point to both sides.
    return InMemory(np.stack([scene.pixels for scene in scenes]), targets, Augmentation(pad=side // 16, flip=True))


def _boxes(scene: Scene) -> Array:
    """The padded rows of a scene, float32 [4, 6]."""
    rows = np.zeros((len(scene.labels), COLUMNS), np.float32)
    rows[:, :CLASS] = scene.boxes
    rows[:, CLASS] = scene.labels
    return padded(rows, MOST_OBJECTS)
