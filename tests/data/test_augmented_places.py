"""Crops and flips move boxes and masks with the pixels: a marker is drawn, the image is changed, it is found again."""

import numpy as np
import pytest

from mobile_bnn.data.augment_boxes import BOXES
from mobile_bnn.data.augment_masks import MASKS
from mobile_bnn.legacy_keras import tf

SIDE = 32


def marked(count: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey images with one white rectangle each, its box as a row above padding, and its mask (class 3)."""
    generator = np.random.default_rng(1)
    images = np.full((count, SIDE, SIDE, 3), 80, np.uint8)
    rows = np.zeros((count, 2, 6), np.float32)
    rows[:, 1, 4] = -1
    masks = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, row, mask in zip(images, rows, masks, strict=True):
        top, left = generator.integers(0, SIDE - 12, 2)
        height, width = generator.integers(6, 12, 2)
        image[top : top + height, left : left + width] = 255
        mask[top : top + height, left : left + width] = 3
        row[0] = (top / SIDE, left / SIDE, (top + height) / SIDE, (left + width) / SIDE, 5, 0)
    return images, rows, masks


def extent(inside: np.ndarray) -> list[float]:
    """The box around what is True, as shares."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    height, width = inside.shape
    return [rows[0] / height, columns[0] / width, (rows[-1] + 1) / height, (columns[-1] + 1) / width]


@pytest.mark.parametrize("flip", [False, True])
def test_a_shift_moves_boxes_with_their_pixels(flip):
    images, rows, _ = marked()
    draws = np.random.default_rng(2).random((len(images), 3), np.float32)
    moved, targets = BOXES.shift(tf.constant(images), tf.constant(rows), tf.constant(draws), pad=6, flip=flip)
    changed, left_out = 0, 0
    for image, target, before in zip(moved.numpy(), targets.numpy(), rows, strict=True):
        white = image[..., 0] == 255
        if white.any():
            np.testing.assert_allclose(target[0, :4], extent(white), atol=1e-5)
        assert target[0, 4] == (5 if white.any() else -1)
        assert target[1, 4] == -1
        changed += not np.allclose(target[0], before[0])
        visible = white.sum() / round(np.prod((before[0, 2:4] - before[0, :2]) * SIDE))
        assert (target[0, 5] == 1) == (0 < visible < 0.25)
        left_out += visible < 1
    assert changed > len(images) / 2
    assert left_out, "some reach over the border"


@pytest.mark.parametrize("flip", [False, True])
def test_a_shift_moves_masks_with_their_pixels(flip):
    images, _, masks = marked()
    draws = np.random.default_rng(2).random((len(images), 3), np.float32)
    moved, targets = MASKS.shift(tf.constant(images), tf.constant(masks), tf.constant(draws), pad=6, flip=flip)
    expected = np.select([moved[..., 0] == 255, moved[..., 0] == 80], [3, 0], 255)
    np.testing.assert_array_equal(targets, expected)
    assert (expected == 255).any(), "what was padded does not count"


def test_a_random_crop_moves_boxes_with_their_pixels():
    images, rows, _ = marked()
    flips = set()
    for number, (image, row) in enumerate(zip(images, rows, strict=True)):
        size, seed = 96, tf.constant([3, number])
        crop, target = BOXES.crop(tf.constant(image), tf.constant(row), seed, size)
        again = BOXES.crop(tf.constant(image), tf.constant(row), seed, size)
        np.testing.assert_array_equal(crop, again[0])
        np.testing.assert_array_equal(target, again[1])
        white = crop.numpy()[..., 0] > 170
        if target[0, 4] < 0 or target[0, 5] > 0:
            assert white.mean() < 0.06
            continue
        np.testing.assert_allclose(target[0, :4], extent(white), atol=3 / SIDE)
        flips.add(bool(target[0, 1] > row[0, 1]))
    assert flips == {True, False}


def test_a_random_crop_moves_masks_with_their_pixels():
    images, _, masks = marked()
    for number, (image, mask) in enumerate(zip(images, masks, strict=True)):
        crop, target = MASKS.crop(tf.constant(image), tf.constant(mask), tf.constant([3, number]), SIDE)
        assert target.shape == (SIDE, SIDE)
        white = crop.numpy()[..., 0] > 167.5
        assert (white != (target.numpy() == 3)).mean() < 0.04


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (32, 32)])
def test_tests_see_the_whole_image(shape):
    image = np.zeros((*shape, 3), np.uint8)
    image[:4, :5] = image[-4:, -5:] = 255
    mask = (image[..., 0] == 255).astype(np.uint8)
    rows = np.array([[0, 0, 4 / shape[0], 5 / shape[1], 0, 0]], np.float32)
    pixels, target = BOXES.center(tf.constant(image), tf.constant(rows), SIDE)
    np.testing.assert_array_equal(target, rows)
    assert pixels[0, 0, 0] == pixels[-1, -1, 0] == 255
    pixels, target = MASKS.center(tf.constant(image), tf.constant(mask), SIDE)
    assert target[0, 0] == target[-1, -1] == 1
    assert set(np.unique(target)) == {0, 1}, "labels are not interpolated"
