"""Reads a label map of PASCAL VOC: a PNG whose palette indices, or grey levels, are class numbers; 255 is "void"."""

from pathlib import Path

import numpy as np
from PIL import Image

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.typing import Array

_MOST_PIXELS = 100_000_000
_MODES = ("P", "L", "1")


def mask_path(folder: Path, stem: str) -> Path:
    """Where the map of an image lies."""
    return folder / "SegmentationClass" / f"{stem}.png"


def mask_pixels(path: Path) -> Array:
    """The class of each pixel, uint8 [height, width].

    Raises:
        MobileBnnError: there is no such file, or it is not a PNG of class numbers.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise _wrong(path, f"it has {image.width} × {image.height} pixels")
            if image.mode not in _MODES:
                raise _wrong(path, f"its pixels are {image.mode}, not numbers of classes", "Save it with a palette")
            return np.asarray(image.convert("L") if image.mode == "1" else image, np.uint8)
    except FileNotFoundError as error:
        raise MobileBnnError(f"there is no label map {path}") from error
    except MobileBnnError:
        raise
    except Exception as error:  # a damaged file can raise anything
        raise _wrong(path, first_line(error)) from error


def _wrong(path: Path, why: str, cure: str = "Replace or remove it") -> MobileBnnError:
    return MobileBnnError(f"{path} is not a label map", why=why, cure=cure)
