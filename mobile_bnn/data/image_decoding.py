"""Reads an image file as upright RGB pixels: JPEG and PNG by TensorFlow, which is faster, other kinds by Pillow.

The kind is told by the content, not by the name. A camera stores pixels as its sensor lies and writes into the EXIF
record how they are to be turned; TensorFlow ignores that, so its pixels are turned here.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from mobile_bnn.data.image_headers import is_upright
from mobile_bnn.data.python_calls import python_function
from mobile_bnn.data.stream import decode
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfTensor

BY_PILLOW = 0  # any other way to read a file is TensorFlow's, and its pixels' orientation after EXIF: 1 (upright) to 8
_TENSORFLOW_READS = ("JPEG", "MPO", "PNG")  # MPO: several JPEGs in one file, the photo first, as phones write them
_OTHERS = ("GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000")

Image.init()
_FORMATS = [name for name in (*_TENSORFLOW_READS, *_OTHERS) if name in Image.OPEN]


def way_to_read(path: Path) -> int:
    """`BY_PILLOW`, or the orientation of a JPEG or PNG. Reads the file's header alone.

    Raises:
        OSError: the file cannot be opened or is not an image.
        Image.DecompressionBombError: it claims more pixels than any photo has.
    """
    with path.open("rb") as file:
        if is_upright(file):
            return 1
    with Image.open(path, formats=_FORMATS) as image:
        if image.format not in _TENSORFLOW_READS:
            return BY_PILLOW
        try:
            # Not PngImageFile's own, which decodes all pixels in search of records after them.
            orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
        except Exception:  # a damaged record can raise anything, and turns nothing
            return 1
    return orientation if orientation in range(1, 9) else 1


def pillow_pixels(path: Path | str | bytes) -> npt.NDArray[np.uint8]:
    """The pixels of an image file, its first frame or page: uint8 [h, w, 3], upright, without transparency.

    Raises:
        OSError, ValueError: it cannot be opened, is cut off or damaged, or its pixels are numbers of no known range.
    """
    with Image.open(os.fsdecode(path), formats=_FORMATS) as image:
        upright = ImageOps.exif_transpose(image)
        return np.asarray(_eight_bits(upright, image.format).convert("RGB"))


def _eight_bits(image: Image.Image, kind: str | None) -> Image.Image:
    """The upper 8 of 16 bits of grey, as TensorFlow takes them from a PNG; Pillow itself would clip."""
    if image.mode.startswith("I;16") or (image.mode == "I" and kind == "PPM"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its pixels are 32-bit numbers of no known range")
    return image


def reader(ways: Iterable[int]) -> Callable[[TfTensor], TfTensor]:
    """A function from (path, way to read it), two scalar tensors, to the image, uint8 [h, w, 3].

    Args:
        ways: those that will come; where Pillow reads none of the files, training needs no Python.
    """
    found = set(ways)

    def by_pillow(path: TfTensor) -> TfTensor:
        return python_function(pillow_pixels, [path], tf.uint8)

    def read(element: TfTensor) -> TfTensor:
        path, way = element
        if found == {BY_PILLOW}:
            image = by_pillow(path)
        elif BY_PILLOW not in found:
            image = _by_tensorflow(path, way)
        else:
            image = tf.cond(way == BY_PILLOW, lambda: by_pillow(path), lambda: _by_tensorflow(path, way))
        image.set_shape([None, None, 3])
        return image

    return read


def _by_tensorflow(path: TfTensor, orientation: TfTensor) -> TfTensor:
    image = decode(tf.io.read_file(path), channels=3)
    return tf.cond(orientation == 1, lambda: image, lambda: _turned(image, orientation))


def _turned(image: TfTensor, orientation: TfTensor) -> TfTensor:
    """What `ImageOps.exif_transpose` does: 5 to 8 lie on their side, and half of all are mirrored along each axis."""

    def where(told: TfTensor, change: Callable[[TfTensor], TfTensor], image: TfTensor) -> TfTensor:
        return tf.cond(told, lambda: change(image), lambda: image)

    def one_of(*orientations: int) -> TfTensor:
        return tf.reduce_any(tf.equal(orientation, orientations))

    image = where(orientation >= 5, lambda pixels: tf.transpose(pixels, [1, 0, 2]), image)
    image = where(one_of(2, 3, 6, 7), lambda pixels: tf.reverse(pixels, [1]), image)
    return where(one_of(3, 4, 7, 8), lambda pixels: tf.reverse(pixels, [0]), image)
