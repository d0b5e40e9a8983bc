"""Images whose targets have places in them: what readers of folders found, and the split that it becomes."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from mobile_bnn.data.box_rows import COLUMNS, padded
from mobile_bnn.data.image_checks import examine
from mobile_bnn.data.image_decoding import reader
from mobile_bnn.data.pipeline import Source
from mobile_bnn.data.python_calls import python_function
from mobile_bnn.data.stream import Stream
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import Array, TfTensor

DEFAULT_SIZE = 96
MOST_OBJECTS = 64  # of an image; more are left out, for every row takes part in every match
TEST_FRACTION = 0.1  # where there is no list of test images
_TEST_SEED = 0  # not the caller's: figures of different seeds are on the same test images
_TURNED = 5  # and larger: EXIF orientations that swap height and width


@dataclass(frozen=True)
class AnnotatedImage:
    """An image file and its target.

    Attributes:
        path: of the image.
        rows: its objects, float32 [N, 6].
        size: (height, width) that the annotation tells; None if it does not.
    """

    path: Path
    rows: Array = field(default_factory=lambda: np.zeros((0, COLUMNS), np.float32))
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Splits:
    """What a folder holds; without a test split, a tenth of the training images become one."""

    train: list[AnnotatedImage]
    validation: list[AnnotatedImage] = field(default_factory=list)
    test: list[AnnotatedImage] = field(default_factory=list)

    def with_test(self, folder: Path) -> "Splits":
        """The same, of which one part is for testing."""
        if self.test:
            return self
        if self.validation:  # as in TensorFlow Datasets
            return Splits(self.train, [], self.validation)
        count = round(len(self.train) * TEST_FRACTION) or 1
        if count >= len(self.train):
            raise UsageError(f"{folder} has {len(self.train)} annotated images", why="one is needed to test with too")
        order = np.random.default_rng(_TEST_SEED).permutation(len(self.train))
        images = [self.train[index] for index in order]
        return Splits(images[count:], [], images[:count])


def source(
    splits: Splits,
    folder: Path,
    labels: Sequence[str],
    image_size: int | None,
    seed: int,
    mask_of: Callable[[AnnotatedImage], Array] | None = None,
) -> Source:
    """The splits as streams; every image is decoded once to check it.

    Args:
        splits: of the folder.
        folder: for messages.
        labels: class names.
        image_size: height and width of what is delivered, in pixels; 96 if None.
        seed: of the order in which a validation split is held out.
        mask_of: reads an image's label map, uint8 [h, w]; None where the targets are the rows.

    Raises:
        MobileBnnError: images cannot be decoded, or have another size than their annotation tells.
    """
    splits, size = splits.with_test(folder), image_size or DEFAULT_SIZE
    every = [*splits.train, *splits.validation, *splits.test]
    ways = examine(sorted({image.path for image in every}), folder).ways
    for image in every:
        _check_size(image)
    most = min(MOST_OBJECTS, max(1, *(len(image.rows) for image in every)))
    order = np.random.default_rng(seed).permutation(len(splits.train))

    def stream(images: Sequence[AnnotatedImage]) -> Stream:
        return _stream(images, ways, (size, size, 3), most, mask_of)

    return Source(
        stream([splits.train[index] for index in order]),
        stream(splits.validation) if splits.validation else None,
        stream(splits.test),
        tuple(labels),
        f"annotated images in {folder}",
    )


def _stream(
    images: Sequence[AnnotatedImage],
    ways: dict[Path, int],
    shape: tuple[int, int, int],
    most: int,
    mask_of: Callable[[AnnotatedImage], Array] | None,
) -> Stream:
    how = np.array([ways[image.path] for image in images], np.int32)
    paths = [os.fsencode(image.path) for image in images]
    read_target = None
    targets: Array
    if mask_of is None:
        targets = np.stack([padded(image.rows, most) for image in images])
    else:
        targets, read_target = np.arange(len(images)), _mask_reader(images, mask_of)
    dataset = tf.data.Dataset.from_tensor_slices(((paths, how), targets))
    return Stream(dataset, len(images), reader(how), shape, len(images), read_target=read_target)


def _mask_reader(
    images: Sequence[AnnotatedImage], mask_of: Callable[[AnnotatedImage], Array]
) -> Callable[[TfTensor], TfTensor]:
    def read(index: TfTensor) -> TfTensor:
        mask = python_function(lambda number: mask_of(images[number]), [index], tf.uint8)
        mask.set_shape([None, None])
        return mask

    return read


def upright_size(path: Path) -> tuple[int, int]:
    """(height, width) of an image that Pillow can open, as its EXIF orientation turns it. Reads the header alone."""
    with warnings.catch_warnings(), Image.open(path) as image:
        warnings.simplefilter("ignore")
        try:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= _TURNED
        except Exception:  # a damaged record can raise anything, and turns nothing
            turned = False
        return (image.width, image.height) if turned else (image.height, image.width)


def _check_size(image: AnnotatedImage) -> None:
    if image.size is None:
        return
    found = upright_size(image.path)
    if found not in (image.size, image.size[::-1]):
        told, real = (f"{width} × {height}" for height, width in (image.size, found))
        raise MobileBnnError(
            f"{image.path} has {real} pixels", why=f"its annotation tells of {told}", cure="Annotate it anew"
        )
