"""Counts what a file predicts of each class while it is verified, and keeps pictures of some of its mistakes."""

import base64
import io
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
from PIL import Image

from mobile_bnn.data import DatasetInfo
from mobile_bnn.prediction_records import MOST_MISTAKES, MOST_PIXELS, Cell, Mistake, Predictions
from mobile_bnn.records import Verification
from mobile_bnn.typing import Array

_SMALL_PNG = 2_000  # bytes, above which a photo is kept as JPEG: a report of 24 must stay a page that can be mailed


class PredictionCounter:
    """Takes a split batch by batch, in its order.

    Args:
        info: the data set, whose normalization is undone for the pictures.
    """

    def __init__(self, info: DatasetInfo) -> None:
        self._info = info
        self._seen, self._wrong = 0, 0
        self._cells: Counter[tuple[int, int]] = Counter()
        self._kept: list[tuple[int, int, int, Array]] = []
        # Of a split that is sorted by class the first mistakes would be of one class. Seeded: the same every time.
        self._random = random.Random(0)

    def add(self, images: Array, predictions: Sequence[int], targets: Sequence[int] | Array) -> None:
        """One batch: normalized images float32 [N, H, W, C], and N class numbers of both."""
        for image, predicted, target in zip(images, predictions, targets, strict=True):
            true = int(target)
            self._cells[true, predicted] += 1
            if predicted != true:
                self._keep(self._seen, true, predicted, image)
            self._seen += 1

    def _keep(self, index: int, true: int, predicted: int, image: Array) -> None:
        """Every mistake stays with the same chance, however many come (reservoir sampling)."""
        self._wrong += 1
        found = (index, true, predicted, image.copy())  # not a view that holds its batch
        if len(self._kept) < MOST_MISTAKES:
            self._kept.append(found)
        elif (place := self._random.randrange(self._wrong)) < MOST_MISTAKES:
            self._kept[place] = found

    def record(self, verification: Verification) -> Predictions:
        """What was counted, as the record that goes with that verification."""
        return Predictions(
            **verification.model_dump(include={"dataset", "split", "samples", "graph_sha256"}),
            labels=list(self._info.labels),
            confusion=[Cell(*classes, images) for classes, images in sorted(self._cells.items())],
            mistakes=[
                Mistake(index=index, true=true, predicted=predicted, image=thumbnail(image, self._info))
                for index, true, predicted, image in sorted(self._kept, key=lambda kept: kept[0])
            ],
        )


def thumbnail(image: Array, info: DatasetInfo) -> str:
    """A normalized image, float32 [H, W, C], as a data: URL of at most 64 by 64 pixels; empty for unusual channels."""
    if image.ndim != 3 or image.shape[2] not in (1, 3):
        return ""
    pixels = image * np.array(info.std, np.float32) + np.array(info.mean, np.float32)
    whole = np.clip(np.rint(np.nan_to_num(pixels)), 0, 255).astype(np.uint8)
    small = Image.fromarray(whole[:, :, 0] if whole.shape[2] == 1 else whole)
    small.thumbnail((MOST_PIXELS, MOST_PIXELS), Image.Resampling.LANCZOS)
    png = _encoded(small, "PNG", optimize=True)
    if len(png) <= _SMALL_PNG:
        return _url("png", png)
    return _url("jpeg", _encoded(small, "JPEG", quality=85))


def _encoded(image: Image.Image, kind: str, **options: int) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def _url(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
