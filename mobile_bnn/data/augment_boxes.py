"""Crops and flips that move boxes along with their images. Targets are padded rows, see `box_rows`."""

from dataclasses import dataclass

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.data.augment import Augment, pad_crop_flip
from mobile_bnn.data.box_rows import CLASS, IGNORED, PADDING
from mobile_bnn.data.whole_image import AREA_WORDS, flipped, mirrored_window, resized
from mobile_bnn.typing import TfTensor

LEAST_VISIBLE = 0.25  # of a box's area; with less of it in the crop an object is gone


@dataclass(frozen=True)
class BoxAugment(Augment):
    """Of padded rows (y0, x0, y1, x1, class, ignored), float32 [..., rows, 6].

    Boxes are cut off at the image's border. One of which less than a quarter is left becomes an ignored one: what is
    still to be seen of it is neither to be found nor background.
    """

    targets = "boxes"
    crop_words = AREA_WORDS

    def shift(
        self, images: TfTensor, targets: TfTensor, draws: TfTensor, *, pad: int, flip: bool
    ) -> tuple[TfTensor, TfTensor]:
        """`pad_crop_flip` of both: the crop begins 0 to 2·pad pixels from the padded image's corner."""
        tf = keras2.tf
        sides = tf.constant([images.shape[1], images.shape[2]], tf.float32)
        begin = (tf.cast(tf.cast(draws[:, :2] * (2 * pad + 1), tf.int32), tf.float32) - pad) / sides
        moved = _moved(targets, begin[:, None], tf.ones([2]))
        if flip:
            moved = tf.where(draws[:, 2, None, None] >= 0.5, _mirrored(moved), moved)
        return pad_crop_flip(images, draws, pad=pad, flip=flip), moved

    def crop(self, image: TfTensor, target: TfTensor, seed: TfTensor, size: int) -> tuple[TfTensor, TfTensor]:
        """A random part of the image, of 30% to all of its area, every second one mirrored."""
        tf = keras2.tf
        begin, extent, flip = mirrored_window(image, seed)
        sides = tf.cast(tf.shape(image)[:2], tf.float32)
        part = tf.slice(image, tf.concat([begin, [0]], 0), tf.concat([extent, [-1]], 0))
        moved = _moved(target, tf.cast(begin, tf.float32) / sides, tf.cast(extent, tf.float32) / sides)
        return flipped(resized(part, size), flip), tf.cond(flip, lambda: _mirrored(moved), lambda: moved)

    def center(self, image: TfTensor, target: TfTensor, size: int) -> tuple[TfTensor, TfTensor]:
        """The whole image: boxes are shares of its sides, so they stay."""
        return resized(image, size), target


def _moved(rows: TfTensor, begin: TfTensor, extent: TfTensor) -> TfTensor:
    """Rows of an image as rows of the part that begins at `begin` and has the sides `extent`, both (y, x) in 0 to 1."""
    tf = keras2.tf
    scaled = (rows[..., :4] - tf.concat([begin, begin], -1)) / tf.concat([extent, extent], -1)
    inside = tf.clip_by_value(scaled, 0.0, 1.0)
    whole, left = _areas(scaled), _areas(inside)
    gone = left <= 0
    classes = tf.where(gone, PADDING, rows[..., CLASS])
    ignored = tf.where(left < LEAST_VISIBLE * whole, 1.0, rows[..., IGNORED])
    rest = tf.stack([classes, tf.where(gone, 0.0, ignored)], -1)
    return tf.concat([tf.where(gone[..., None], 0.0, inside), rest], -1)


def _mirrored(rows: TfTensor) -> TfTensor:
    """Left to right; padding stays."""
    tf = keras2.tf
    mirrored = tf.stack([rows[..., 0], 1 - rows[..., 3], rows[..., 2], 1 - rows[..., 1]], -1)
    return tf.where(rows[..., CLASS, None] >= 0, tf.concat([mirrored, rows[..., 4:]], -1), rows)


def _areas(boxes: TfTensor) -> TfTensor:
    sides = keras2.tf.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return sides[..., 0] * sides[..., 1]


BOXES = BoxAugment()
