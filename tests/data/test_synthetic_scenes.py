"""Synthetic scenes: their boxes and masks are exact, and they are the same everywhere."""

import hashlib

import numpy as np
import pytest

from mobile_bnn import data, tasks
from mobile_bnn.data import synthetic_scenes
from mobile_bnn.data.in_memory import InMemory
from mobile_bnn.data.info import SPECS
from mobile_bnn.data.pipeline import Source
from mobile_bnn.data.scenes import compose
from mobile_bnn.errors import UsageError
from tests.support.packages import need


def items() -> Source:
    """Fashion-MNIST's labels with drawn items: class n is a rectangle of 8 + n by 24 pixels, brighter in the middle."""
    images = np.zeros((40, 28, 28, 1), np.uint8)
    labels = np.arange(40) % 10
    for image, label in zip(images, labels, strict=True):
        image[2:26, 4 : 12 + label] = 100
        image[10:14, 6 : 8 + label] = 0  # a hole
    part = InMemory(images, labels.astype(np.int64))
    return Source(part, None, part, SPECS["fashion_mnist"].labels, "drawn")


def test_boxes_and_masks_are_exact():
    images, labels = items().train.images[..., 0], items().train.targets
    for number in range(40):
        scene = compose(images, labels, 64, np.random.default_rng(number))
        assert scene.pixels.shape == (64, 64, 3)
        assert 1 <= len(scene.labels) <= 4
        assert set(np.unique(scene.mask)) - {0} == {label + 1 for label in scene.labels}
        covered = np.zeros((64, 64), bool)
        for box, label in zip(np.round(scene.boxes * 64).astype(int), scene.labels, strict=True):
            y0, x0, y1, x1 = box
            inside = scene.mask[y0:y1, x0:x1] == label + 1
            assert inside[0].any(), "the box ends where the object does"
            assert inside[-1].any()
            assert inside[:, 0].any()
            assert inside[:, -1].any()
            covered[y0:y1, x0:x1] = True
        assert not scene.mask[~covered].any(), "nothing lies outside of the boxes"


def test_the_set_does_not_depend_on_its_size_or_on_seeds():
    few, many = (synthetic_scenes.read(f"synthetic_scenes/{n}", items, "boxes", 32) for n in (12, 24))
    np.testing.assert_array_equal(few.train.images, many.train.images[:12])
    np.testing.assert_array_equal(few.train.targets, many.train.targets[:12])
    assert not np.array_equal(few.train.images[:2], few.test.images[:2])
    masks = synthetic_scenes.read("synthetic_scenes/12", items, "masks", 32)
    np.testing.assert_array_equal(few.train.images, masks.train.images)
    assert masks.labels == ("background", *few.labels)
    digest = hashlib.sha256(few.train.images.tobytes()).hexdigest()
    assert digest.startswith("2f8f4189facc"), "scenes that trained weights were made of must not change"


def test_targets_are_boxes_or_masks():
    boxes = synthetic_scenes.read("synthetic_scenes/12", items, "boxes", 32).train.targets
    masks = synthetic_scenes.read("synthetic_scenes/12", items, "masks", 32).train.targets
    assert (boxes.shape, boxes.dtype) == ((12, 4, 6), np.float32)
    assert (masks.shape, masks.dtype) == ((12, 32, 32), np.uint8)
    for rows, mask in zip(boxes, masks, strict=True):
        assert {int(row[4]) + 1 for row in rows if row[4] >= 0} == set(np.unique(mask)) - {0}


@pytest.mark.parametrize(
    ("name", "kind", "size", "message"),
    [
        ("synthetic_scenes", "classes", None, "synthetic_scenes is not for classification: its scenes show several"),
        ("synthetic_scenes/x", "boxes", None, "'synthetic_scenes/x' names no number of scenes from 12 to 100000"),
        ("synthetic_scenes/3", "boxes", None, "names no number of scenes"),
        ("synthetic_scenes", "boxes", 8, "images of 16 to 512 pixels a side, not 8"),
    ],
)
def test_wrong_use_is_one_line(name, kind, size, message):
    with pytest.raises(UsageError, match=message):
        synthetic_scenes.read(name, items, kind, size)


def test_it_is_composed_from_the_local_copy():
    fashion_folder = need("dataset-fashion-mnist", "no scene is composed of the real items")
    changes = tasks.create("detection").training().augment
    info = data.load("synthetic_scenes/24", data_dir=fashion_folder, changes=changes).info
    assert info.origin.startswith("synthetic, composed from Fashion-MNIST (local files in ")
    assert (info.train_size, info.validation_size, info.test_size) == (22, 2, 4)
    assert (info.input_shape, info.labels) == ((64, 64, 3), synthetic_scenes.ITEMS)
