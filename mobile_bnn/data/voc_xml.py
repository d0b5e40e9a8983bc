"""Reads one annotation of PASCAL VOC: XML with the boxes of an image's objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, parse

from mobile_bnn.data.annotated_images import upright_size
from mobile_bnn.data.box_rows import COLUMNS
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.typing import Array

_MOST_BYTES = 4_000_000
_CORNERS = ("ymin", "xmin", "ymax", "xmax")


@dataclass(frozen=True)
class VocObject:
    """An object: its class, (ymin, xmin, ymax, xmax) in pixels counted from 1, the last ones inside, and its flag."""

    name: str
    corners: tuple[float, float, float, float]
    difficult: bool


@dataclass(frozen=True)
class Annotation:
    """Of one image; `size` is (height, width), None where the file does not tell it."""

    objects: list[VocObject]
    size: tuple[int, int] | None
    path: Path

    def rows(self, numbers: Mapping[str, int], image: Path) -> Array:
        """The objects as rows of targets, float32 [N, 6].

        Args:
            numbers: of the classes.
            image: whose size counts where the annotation has none.

        Raises:
            MobileBnnError: a box is empty, or outside of the image.
        """
        height, width = self.size or upright_size(image)
        rows = np.zeros((len(self.objects), COLUMNS), np.float32)
        for row, each in zip(rows, self.objects, strict=True):
            top, left, bottom, right = each.corners
            box = np.array([(top - 1) / height, (left - 1) / width, bottom / height, right / width]).clip(0, 1)
            if box[2] <= box[0] or box[3] <= box[1]:
                raise MobileBnnError(
                    f"{self.path} has an empty box of a {each.name!r}",
                    why=f"from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) in {width} × {height} pixels",
                    cure="Mend or remove it",
                )
            row[:] = (*box, numbers[each.name], each.difficult)
        return rows


def read_annotation(path: Path) -> Annotation:
    """Reads a file. Entities, which could grow without end or read other files, are refused.

    Raises:
        MobileBnnError: there is no such file, or it is not an annotation.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _wrong(path, f"it has {path.stat().st_size:,} bytes")
        root = parse(path, forbid_dtd=True).getroot()
    except OSError as error:
        raise MobileBnnError(f"cannot read the annotation {path}", why=error.strerror or str(error)) from error
    except DefusedXmlException as error:
        raise _wrong(path, "it declares entities or a document type") from error
    except (ParseError, ValueError, RecursionError, LookupError) as error:  # LookupError: an unknown encoding
        raise _wrong(path, first_line(error)) from error
    return Annotation([_object(each, path) for each in root.iter("object")], _size(root), path)


def _object(element: Any, path: Path) -> VocObject:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise _wrong(path, "an object has no name")
    box = element.find("bndbox")
    texts = [box.findtext(each) if box is not None else None for each in _CORNERS]
    try:
        top, left, bottom, right = (float(text or "") for text in texts)
    except ValueError as error:
        raise _wrong(path, f"the box of a {name[:80]!r} lacks numbers {', '.join(_CORNERS)}") from error
    if not np.isfinite([top, left, bottom, right]).all():
        raise _wrong(path, f"the box of a {name[:80]!r} is not finite")
    return VocObject(name[:200], (top, left, bottom, right), (element.findtext("difficult") or "").strip() == "1")


def _size(root: Any) -> tuple[int, int] | None:
    """(height, width); None where it is missing or 0, as some programs write it."""
    try:
        height, width = (int(float(root.findtext(f"size/{side}") or 0)) for side in ("height", "width"))
    except (ValueError, OverflowError):
        return None
    return (height, width) if height > 0 and width > 0 else None


def _wrong(path: Path, why: str) -> MobileBnnError:
    return MobileBnnError(f"{path} is not an annotation of VOC", why=why, cure="Mend or remove it")
