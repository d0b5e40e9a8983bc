"""Predictions of images as a table, a sentence and CSV: one form for each task."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mobile_bnn.report.formats import milliseconds, percent, plural, printable, significant
from mobile_bnn.report.layout import Column, Table

if TYPE_CHECKING:
    from mobile_bnn.pipeline.prediction import Predicted, Prediction

_BAR = 10  # characters
_HEADERS = {
    "classification": ("image", "rank", "index", "label", "score", "latency_ms", "true"),
    "detection": ("image", "rank", "index", "label", "score", "y0", "x0", "y1", "x1", "latency_ms"),
    "segmentation": ("image", "rank", "index", "label", "share", "latency_ms"),
}


def table(predicted: "Predicted") -> Table:
    """A row for each class, object or area; an image without any has one row too."""
    columns = [Column("image", unbroken=8), Column("class", unbroken=8)]
    columns.append(Column("share" if predicted.task == "segmentation" else "probability", number=True))
    columns.append(Column("box: x, y, width × height" if predicted.task == "detection" else ""))
    columns.append(Column("latency (ms)", number=True))
    rows = []
    for each in predicted.predictions:
        for rank, cells in enumerate(_cells(each) or [["nothing", "", ""]]):
            first = rank == 0
            name, latency = (printable(each.image), significant(each.latency_ms)) if first else ("", "")
            rows.append([name, *cells, latency])
    return Table("", columns, rows)


def _cells(each: "Prediction") -> list[list[str]]:
    classes = [[printable(one.label), percent(one.score, 1), _bar(one.score)] for one in each.classes]
    objects = [[printable(one.label), percent(one.score, 1), _pixels(one.box, each.size)] for one in each.objects]
    areas = [[printable(one.label), percent(one.share, 1), _bar(one.share)] for one in each.areas]
    return classes + objects + areas


def _bar(share: float) -> str:
    return "█" * round(share * _BAR)


def _pixels(box: Sequence[float], size: tuple[int, int]) -> str:
    top, left, bottom, right = (round(each * side) for each, side in zip(box, size * 2, strict=True))
    return f"{left}, {top}, {right - left} × {bottom - top}"


def summary(predicted: "Predicted") -> str:
    """How many images, how fast, and how much was found or right."""
    predictions = predicted.predictions
    words = [plural(len(predictions), "image")]
    if predicted.task == "detection":
        words.append(plural(sum(len(each.objects) for each in predictions), "object"))
    if predicted.median_ms is not None:
        words.append(f"median {milliseconds(predicted.median_ms)}")
    if predicted.top1 is not None:
        known = sum(bool(each.true) for each in predictions)
        words.append(f"top-1 {percent(predicted.top1)} of {plural(known, 'image')} in folders of classes")
    return ", ".join(words)


def csv_lines(predicted: "Predicted") -> str:
    """Of a classifier image, rank, index, label, score, latency_ms, true; of others their own columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADERS[predicted.task])
    for each in predicted.predictions:
        writer.writerows(_lines(each))
    return text.getvalue()


def _lines(each: "Prediction") -> Iterator[list[object]]:
    for rank, one in enumerate(each.classes, 1):
        yield [each.image, rank, one.index, one.label, one.score, each.latency_ms, each.true]
    for rank, found in enumerate(each.objects, 1):
        yield [each.image, rank, found.index, found.label, found.score, *found.box, each.latency_ms]
    for rank, area in enumerate(each.areas, 1):
        yield [each.image, rank, area.index, area.label, area.share, each.latency_ms]
