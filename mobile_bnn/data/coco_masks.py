"""Paints the objects of a COCO image as a label map: polygons by pycocotools, run lengths here, all bounds checked.

Run lengths count pixels column after column, first those outside, in turn. In text form each is a number in base 32,
five bits a letter from "0" on, the sixth bit telling that more follow, and from the third on the difference to the one
before the last (the format of cocoapi's maskApi).
"""

import numpy as np

from mobile_bnn.data.coco_json import CocoImage, CocoObject
from mobile_bnn.data.label_maps import IGNORED
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.typing import Array, Json

_MOST_RUNS = 4_000_000


def label_map(image: CocoImage, numbers: dict[int, int]) -> Array:
    """uint8 [height, width]: 0 for the background, a category's number + 1 where it is, 255 for crowds.

    Larger objects are painted first, so that smaller ones, which as a rule hide a part of them, stay visible.

    Raises:
        MobileBnnError: an object's segmentation is damaged, or there are more than 254 categories.
    """
    if len(numbers) >= IGNORED:
        raise MobileBnnError(f"label maps tell 254 categories apart, not {len(numbers)}")
    painted = np.zeros((image.height, image.width), np.uint8)
    for each in sorted(image.objects, key=lambda one: -one.box[2] * one.box[3]):
        inside = _inside(each, image)
        painted[inside] = IGNORED if each.crowd else numbers[each.category] + 1
    return painted


def _inside(each: CocoObject, image: CocoImage) -> Array:
    """Which pixels belong to an object, bool [height, width]; its box where it has no segmentation."""
    found = each.segmentation
    try:
        if isinstance(found, dict):
            return _of_runs(found, image.height, image.width)
        if isinstance(found, list) and found:
            return _of_polygons(found, image.height, image.width)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise MobileBnnError(f"a segmentation in {image.file_name} is damaged", why=str(error)[:200]) from error
    left, top, width, height = each.box
    inside = np.zeros((image.height, image.width), bool)
    rows = slice(*(int(np.clip(round(value), 0, image.height)) for value in (top, top + height)))
    columns = slice(*(int(np.clip(round(value), 0, image.width)) for value in (left, left + width)))
    inside[rows, columns] = True
    return inside


def _of_polygons(polygons: list[Json], height: int, width: int) -> Array:
    from pycocotools import mask

    inside = np.zeros((height, width), bool)
    for polygon in polygons:
        points = np.asarray(polygon, np.float64)
        if points.ndim != 1 or points.size < 6 or points.size % 2 or not np.isfinite(points).all():
            raise ValueError("a polygon is not a list of three points or more")
        # pycocotools walks along every edge: one that ends far outside would take for ever.
        within = np.clip(points.reshape(-1, 2), -1, [width + 1, height + 1]).ravel()
        inside |= mask.decode(mask.frPyObjects([within.tolist()], height, width))[..., 0].astype(bool)
    return inside


def _of_runs(record: Json, height: int, width: int) -> Array:
    counts = record["counts"]
    runs = decoded_runs(counts) if isinstance(counts, str) else np.asarray(counts, np.int64)
    size = record.get("size")
    if size != [height, width]:
        raise ValueError(f"its size {str(size)[:40]} is not that of the image, {[height, width]}")
    if runs.ndim != 1 or runs.size > _MOST_RUNS or (runs < 0).any() or int(runs.sum()) != height * width:
        raise ValueError(f"its run lengths do not cover {height * width} pixels")
    values = np.repeat(np.arange(runs.size) % 2 == 1, runs)
    return values.reshape(width, height).T


def decoded_runs(text: str) -> Array:
    """The run lengths of the text form, int64 [runs].

    Raises:
        ValueError: the text is cut off, or holds other letters.
    """
    if len(text) > _MOST_RUNS:
        raise ValueError(f"it has {len(text):,} letters")
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64 or shift > 30:
            raise ValueError("its run lengths are not COCO's text form")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("its run lengths are cut off")
    return np.array(runs, np.int64)
