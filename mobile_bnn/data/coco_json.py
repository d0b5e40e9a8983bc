"""Reads one JSON file of COCO: images, categories and the objects in the images."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from mobile_bnn.data.box_rows import COLUMNS
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.typing import Array, Json

_LARGEST_SIDE = 65_535


@dataclass(frozen=True)
class CocoObject:
    """An object: (x, y, width, height) in pixels; polygons or run lengths as the file has them; a crowd or one."""

    category: int
    box: tuple[float, float, float, float]
    segmentation: Json
    crowd: bool


@dataclass(frozen=True)
class CocoImage:
    """An image and what is in it."""

    file_name: str
    height: int
    width: int
    objects: list[CocoObject] = field(default_factory=list)

    def rows(self, numbers: Mapping[int, int]) -> Array:
        """The objects as rows of targets, float32 [N, 6]; empty boxes, which COCO has some of, are left out."""
        rows = []
        for each in self.objects:
            left, top, width, height = each.box
            corners = np.array([[top, left], [top + height, left + width]]) / [self.height, self.width]
            box = corners.ravel().clip(0, 1)
            if box[2] > box[0] and box[3] > box[1]:
                rows.append([*box, numbers[each.category], each.crowd])
        return np.array(rows, np.float32).reshape(-1, COLUMNS)


@dataclass(frozen=True)
class CocoFile:
    """What a file holds; categories are names by number."""

    path: Path
    images: list[CocoImage]
    categories: dict[int, str]


def read_coco(path: Path) -> CocoFile:
    """Reads a file.

    Raises:
        MobileBnnError: it cannot be read, or it is not COCO's JSON.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise MobileBnnError(f"cannot read {path}", why=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, first_line(error)) from error
    categories: dict[int, str] = {}
    images: dict[int, CocoImage] = {}

    def add_category(record: Json) -> None:
        categories[_whole(record["id"])] = str(record["name"])[:200]

    def add_image(record: Json) -> None:
        height, width = _side(record["height"]), _side(record["width"])
        images[_whole(record["id"])] = CocoImage(_file_name(record["file_name"]), height, width)

    def add_object(record: Json) -> None:
        found, image = _object(record), _whole(record["image_id"])
        for what, number, known in (("category", found.category, categories), ("image", image, images)):
            if number not in known:
                raise ValueError(f"there is no {what} {number}")
        images[image].objects.append(found)

    for key, add in (("categories", add_category), ("images", add_image), ("annotations", add_object)):
        _take(path, content, key, add)
    return CocoFile(path, list(images.values()), categories)


def _take(path: Path, content: Json, key: str, add: Callable[[Json], None]) -> None:
    """Adds each record of a list."""
    if not isinstance(content, dict) or not isinstance(content.get(key), list):
        raise _wrong(path, f"it has no list of {key}")
    for number, record in enumerate(content[key]):
        _take_one(path, record, f"{key}[{number}]", add)


def _take_one(path: Path, record: Json, where: str, add: Callable[[Json], None]) -> None:
    try:
        add(record)
    except KeyError as error:
        raise _wrong(path, f"{where} has no {error.args[0]}") from error
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise _wrong(path, f"{where}: {first_line(error)[:200]}") from error


def _object(record: Json) -> CocoObject:
    left, top, width, height = (float(value) for value in record["bbox"])
    if not all(math.isfinite(value) for value in (left, top, width, height)):
        raise ValueError("its box is not finite")
    crowd = bool(record.get("iscrowd", 0))
    return CocoObject(_whole(record["category_id"]), (left, top, width, height), record.get("segmentation"), crowd)


def _whole(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{str(value)[:40]!r} is not a whole number")
    return value


def _side(value: Json) -> int:
    side = _whole(value)
    if not 1 <= side <= _LARGEST_SIDE:
        raise ValueError(f"{side} is not a number of pixels")
    return side


def _file_name(value: Json) -> str:
    """A path within the folder of images: a file from elsewhere must not lead out of it."""
    path = PurePosixPath(str(value).replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in str(path) or not path.parts:
        raise ValueError(f"the file name {str(value)[:80]!r} leads out of the folder")
    return str(path)


def _wrong(path: Path, why: str) -> MobileBnnError:
    return MobileBnnError(f"{path} is not COCO's JSON", why=why, cure="Export the annotations anew")
