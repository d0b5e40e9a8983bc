"""Reads images as a network wants them, with Pillow and NumPy: the same pixels that training and testing saw.

Training decodes and resizes with TensorFlow. Cropped and resized pixels are equal to its own within 0.0001 of 255;
decoded ones are equal for lossless formats, and differ by a few steps of 255 for JPEG, which every decoder
rounds its own way.
"""

import io
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

from mobile_bnn.errors import MobileBnnError, UsageError, first_line

Pixels = npt.NDArray[np.uint8]

SUFFIXES = frozenset(  # those that training reads
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".jp2"),
    }
)
MOST_PIXELS = 100_000_000  # of a file of unknown origin, which a few bytes may claim to have
CENTRAL_FRACTION = 0.875  # of the shorter side, as tests of image classifiers take: 224 of 256 pixels

# No others, whatever a file's name: to read an EPS, Pillow would start Ghostscript.
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000")
_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(source: Path | str | bytes) -> Pixels:
    """The pixels of an image, upright: uint8 [height, width, 3], or [height, width, 1] if it is grey.

    Of an animation the first frame is taken. Transparency is dropped, as in training.

    Args:
        source: a file, or its bytes.

    Raises:
        UsageError: there is no such file.
        MobileBnnError: it is not an image, is damaged, or has more than MOST_PIXELS pixels.
    """
    name = "the image" if isinstance(source, bytes) else str(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about odd but readable files
            return _pixels(io.BytesIO(source) if isinstance(source, bytes) else source, name)
    except MobileBnnError:
        raise
    except FileNotFoundError as error:
        raise UsageError(f"there is no image {name}") from error
    except UnidentifiedImageError as error:
        raise MobileBnnError(f"{name} is not an image that can be read") from error
    except Exception as error:  # a damaged file can raise anything
        raise MobileBnnError(f"{name} cannot be read", why=first_line(error)) from error


def _pixels(source: io.BytesIO | Path | str, name: str) -> Pixels:
    with Image.open(source, formats=_formats()) as image:
        if image.width * image.height > MOST_PIXELS:
            raise MobileBnnError(
                f"{name} has {image.width} x {image.height} pixels", why="that is more than 100 million"
            )
        image.load()
        upright = _upright(image)
        return np.asarray(_grey_or_rgb(upright), np.uint8).reshape(upright.height, upright.width, -1)


@cache
def _formats() -> list[str]:
    Image.init()
    return [each for each in _FORMATS if each in Image.OPEN]


def _upright(image: Image.Image) -> Image.Image:
    """The image turned by its EXIF orientation; a record that is damaged turns nothing, as in training."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a damaged record can raise anything
        return image
    return image.transpose(_TURNED[orientation]) if orientation in _TURNED else image


def _grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))  # the upper 8 bits, as TensorFlow takes them
    if image.mode in ("I", "F"):
        raise ValueError("its pixels are 32-bit numbers of no known range")
    if image.mode in ("1", "L", "LA"):
        return image.convert("L")
    return image.convert("RGBA").convert("RGB") if "transparency" in image.info else image.convert("RGB")


def fit(image: Pixels, height: int, width: int, channels: int, *, crop_all: bool = False) -> npt.NDArray[np.float32]:
    """An image of a network's size: float32 [height, width, channels], 0 to 255.

    One that has this size stays as it is. Of others the central part is taken that has the network's proportions and
    7/8 of the side that bounds it, and resized bilinearly, as in tests after training.

    Args:
        image: uint8 [h, w] or [h, w, 1, 3 or 4].
        height: of the network's input; so are the others.
        width: see there.
        channels: 1 or 3, or as many as the image has.
        crop_all: crops an image of the network's size too, as tests do on a folder of images.

    Raises:
        UsageError: it is not such an image.
    """
    pixels = _with_channels(np.asarray(image), channels)
    if pixels.shape[:2] == (height, width) and not crop_all:
        return pixels.astype(np.float32)
    # Products of whole numbers, so that halves are rounded as training rounds them.
    bound = CENTRAL_FRACTION * min(pixels.shape[0] * width, pixels.shape[1] * height)
    rows, columns = max(1, round(bound / width)), max(1, round(bound / height))
    top, left = (pixels.shape[0] - rows) // 2, (pixels.shape[1] - columns) // 2
    return resize(pixels[top : top + rows, left : left + columns], height, width)


def fit_whole(image: Pixels, height: int, width: int, channels: int) -> npt.NDArray[np.float32]:
    """All of an image at a network's size, whatever its proportions: float32 [height, width, channels], 0 to 255.

    Args:
        image: uint8 [h, w] or [h, w, 1, 3 or 4].
        height: of the network's input; so are the others.
        width: see there.
        channels: 1 or 3, or as many as the image has.

    Raises:
        UsageError: it is not such an image.
    """
    pixels = _with_channels(np.asarray(image), channels)
    return pixels.astype(np.float32) if pixels.shape[:2] == (height, width) else resize(pixels, height, width)


def resize(image: npt.NDArray[np.generic], height: int, width: int) -> npt.NDArray[np.float32]:
    """Bilinear between pixel centers, without a filter against aliasing, as `tf.image.resize` does.

    Args:
        image: [h, w, C].
        height: of the result.
        width: of the result.

    Returns:
        float32 [height, width, C].
    """
    top, bottom, down = _neighbours(image.shape[0], height)
    left, right, across = _neighbours(image.shape[1], width)
    values = image.astype(np.float32)
    rows = values[top] + (values[bottom] - values[top]) * down[:, None, None]
    resized: npt.NDArray[np.float32] = rows[:, left] + (rows[:, right] - rows[:, left]) * across[None, :, None]
    return resized


def _neighbours(size: int, new: int) -> "tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]":
    """Of each new pixel the two old ones that it lies between, and how near it is to the second."""
    centers = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * np.float32(size / new) - np.float32(0.5)
    first = np.floor(centers)
    low = np.maximum(first, 0).astype(np.intp)
    high = np.minimum(np.maximum(first + 1, 0), size - 1).astype(np.intp)
    return low, high, (centers - first).astype(np.float32)


def _with_channels(image: npt.NDArray[np.generic], channels: int) -> Pixels:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape:
        raise UsageError(
            f"an image is uint8 (height, width, channels), not {image.dtype} {image.shape}",
            cure="Give pixels from 0 to 255, one image at a time",
        )
    pixels: Pixels = (image if image.ndim == 3 else image[..., None]).astype(np.uint8)
    there = pixels.shape[2]
    if there == channels:
        return pixels
    if there == 4 and channels in (1, 3):
        return _with_channels(pixels[..., :3], channels)
    if there == 1 and channels == 3:
        return np.repeat(pixels, 3, axis=2)
    if there == 3 and channels == 1:
        return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
    raise UsageError(f"an image of {there} channels cannot be fed to a network of {channels}")
