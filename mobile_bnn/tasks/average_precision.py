"""Mean average precision, by pycocotools: the reference implementation that COCO's own leader board runs.

Intersection over union from 0.50 on, precision interpolated at 101 recalls (Lin et al., "Microsoft COCO", 2014, and
the evaluation code that came with it). Of VOC's metric it differs in that interpolation alone.
"""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from mobile_bnn.data.box_rows import CLASS, IGNORED, objects
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.tasks.suppression import Detections
from mobile_bnn.typing import Array, JsonObject

THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).round(2).tolist())
MOST_DETECTIONS = 100  # of an image, as COCO counts
_SIDE = 1000.0  # images as this many pixels a side: COCO has boxes in pixels


def average_precisions(predictions: Sequence[Detections], targets: Sequence[Array]) -> dict[int, Array]:
    """The average precision of each class that the targets hold, at each of `THRESHOLDS`: float64 [10].

    Args:
        predictions: of each image.
        targets: of each image [N, 6], see `data.box_rows`; ignored objects and what finds them do not count.

    Raises:
        MobileBnnError: pycocotools is not installed.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        cure = "pip install pycocotools, or 'mobile-bnn[train]'"
        raise MobileBnnError("mAP is computed by pycocotools, which is not installed", cure=cure) from error
    truth, found = _truth(targets), _found(predictions)
    classes = sorted({each["category_id"] for each in truth["annotations"] if not each["iscrowd"]})
    if not classes:
        return {}
    if not found:
        return {each - 1: np.zeros(len(THRESHOLDS)) for each in classes}
    with redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = truth
        reference.createIndex()
        evaluation = COCOeval(reference, _loaded(COCO, truth, found), "bbox")
        evaluation.params.catIds = classes
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, _SIDE**2 * 10]], ["all"]
        evaluation.params.maxDets = [MOST_DETECTIONS]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]  # [thresholds, recalls, classes, areas, limits]
    return {each - 1: precision[:, :, index, 0, 0].mean(1) for index, each in enumerate(classes)}


def _loaded(coco: Any, truth: JsonObject, found: list[JsonObject]) -> Any:
    """Detections as pycocotools takes them; its own loadRes would copy the images' records each time."""
    result = coco()
    result.dataset = {"images": truth["images"], "categories": truth["categories"], "annotations": found}
    result.createIndex()
    return result


def _truth(targets: Sequence[Array]) -> JsonObject:
    annotations: list[JsonObject] = []
    for image, rows in enumerate(targets):
        for row in objects(np.asarray(rows)):
            annotations.append(_annotation(len(annotations), image, row[:4], int(row[CLASS])))
            annotations[-1]["iscrowd"] = int(row[IGNORED] > 0)
    categories = sorted({each["category_id"] for each in annotations})
    return {
        "images": [{"id": number} for number in range(len(targets))],
        "categories": [{"id": number} for number in categories],
        "annotations": annotations,
    }


def _found(predictions: Sequence[Detections]) -> list[JsonObject]:
    found: list[JsonObject] = []
    for image, each in enumerate(predictions):
        for box, score, label in zip(each.boxes, each.scores, each.classes, strict=True):
            found.append({**_annotation(len(found), image, box, int(label)), "score": float(score)})
    return found


def _annotation(number: int, image: int, box: Array, label: int) -> JsonObject:
    top, left, bottom, right = (float(each) * _SIDE for each in box)
    width, height = max(right - left, 0.0), max(bottom - top, 0.0)
    return {
        "id": number + 1,  # COCO's evaluation takes 0 for "none"
        "image_id": image,
        "category_id": label + 1,
        "bbox": [left, top, width, height],
        "area": width * height,
        "iscrowd": 0,
    }
