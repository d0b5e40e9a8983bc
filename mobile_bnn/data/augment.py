"""Random crops and flips as stateless functions: the same draws or the same seed give the same image."""

from dataclasses import dataclass
from typing import ClassVar

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.typing import TfTensor

CENTRAL_FRACTION = 0.875  # the usual test crop: 224 of 256 pixels
AREA_RANGE = (0.08, 1.0)  # of random resized crops, as in most ImageNet recipes
ASPECT_RANGE = (3 / 4, 4 / 3)


def pad_crop_flip(images: TfTensor, draws: TfTensor, *, pad: int, flip: bool) -> TfTensor:
    """Crops a whole batch from its zero-padded images, and mirrors where the draw says so.

    Args:
        images: uint8 [B, H, W, C].
        draws: float32 [B, 3], uniform in [0, 1): row shift, column shift, flip.
        pad: pixels of zeros on every side.
        flip: whether a third draw of at least one half mirrors the image, left to right.

    Returns:
        uint8 [B, H, W, C].
    """
    tf = keras2.tf
    height, width = images.shape[1], images.shape[2]
    offsets = tf.cast(draws[:, :2] * (2 * pad + 1), tf.int32)
    rows = offsets[:, :1] + tf.range(height)
    columns = tf.range(width)
    if flip:
        columns = tf.where(draws[:, 2:] >= 0.5, width - 1 - columns, columns)
    columns = offsets[:, 1:] + columns
    padded = tf.pad(images, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
    return tf.gather(tf.gather(padded, rows, batch_dims=1), columns, axis=2, batch_dims=1)


def random_resized_crop(image: TfTensor, seed: TfTensor, size: int) -> TfTensor:
    """A random part of `image` (uint8 [h, w, C]), every second one mirrored: float32 [size, size, C]."""
    tf = keras2.tf
    seeds = tf.random.split(seed, 2)
    begin, extent = random_window(image, seeds[0], AREA_RANGE)
    crop = tf.image.resize(tf.slice(image, begin, extent), (size, size))
    return tf.image.stateless_random_flip_left_right(crop, seeds[1])


def random_window(image: TfTensor, seed: TfTensor, area_range: tuple[float, float]) -> tuple[TfTensor, TfTensor]:
    """Where a random part of `image` [h, w, C] begins, and its extent, both int32 [3]; an extent of -1 is all."""
    tf = keras2.tf
    begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
        tf.shape(image),
        tf.constant([[[0.0, 0.0, 1.0, 1.0]]]),
        seed=seed,
        min_object_covered=0.0,
        aspect_ratio_range=ASPECT_RANGE,
        area_range=area_range,
        max_attempts=10,
    )
    return begin, extent


def central_crop(image: TfTensor, size: int) -> TfTensor:
    """The central square of `image` (uint8 [h, w, C]), 7/8 of its shorter side: float32 [size, size, C]."""
    tf = keras2.tf
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    shorter = tf.cast(tf.minimum(height, width), tf.float32)
    side = tf.maximum(tf.cast(tf.round(shorter * CENTRAL_FRACTION), tf.int32), 1)
    square = tf.image.crop_to_bounding_box(image, (height - side) // 2, (width - side) // 2, side, side)
    return tf.image.resize(square, (size, size))


@dataclass(frozen=True)
class Augment:
    """The changes that data go through, of images and their targets together.

    Targets of this class stay as they are, as a label does; a task whose targets have places in the image moves them.

    Attributes:
        targets: what readers shall give, of data sets that have more than one kind: "classes", "boxes" or "masks".
        crop_words: what `crop` does, in words.
    """

    targets: ClassVar[str] = "classes"
    crop_words: ClassVar[str] = (
        f"random crop of {AREA_RANGE[0]:.0%} to {AREA_RANGE[1]:.0%} of the area, horizontal flip"
    )

    def shift(
        self, images: TfTensor, targets: TfTensor, draws: TfTensor, *, pad: int, flip: bool
    ) -> tuple[TfTensor, TfTensor]:
        """`pad_crop_flip` of a batch of images of one size, and the batch of their targets."""
        return pad_crop_flip(images, draws, pad=pad, flip=flip), targets

    def crop(self, image: TfTensor, target: TfTensor, seed: TfTensor, size: int) -> tuple[TfTensor, TfTensor]:
        """`random_resized_crop` of an image, and its target."""
        return random_resized_crop(image, seed, size), target

    def center(self, image: TfTensor, target: TfTensor, size: int) -> tuple[TfTensor, TfTensor]:
        """`central_crop` of an image, and its target."""
        return central_crop(image, size), target


IMAGES_ALONE = Augment()
