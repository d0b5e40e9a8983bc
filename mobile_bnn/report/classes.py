"""A classifier class by class: how often each is recognized, what it is taken for, and pictures of mistakes.

`of(records)` is all of it. Everything is plain data: names are safe to print, not escaped for HTML.
"""

import math
from collections import Counter
from dataclasses import dataclass

from mobile_bnn.prediction_records import Cell, Predictions
from mobile_bnn.report.formats import count, percent, plural, printable
from mobile_bnn.report.layout import Column, Table
from mobile_bnn.report.records import Records

MOST_ROWS = 100  # of the table of classes
MOST_PAIRS = 20
MOST_CLASSES = 20  # of the matrix
_NAME = 40  # characters of a class's name
_Z = 1.959964  # standard deviations on either side of 95 % of a normal distribution


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix, or the part of it that holds most mistakes.

    Attributes:
        names: of the classes that are shown, in the order of their numbers.
        images: of each class (row) those taken for each (column).
        others: of each class those taken for a class that is not shown; all 0 where every class is.
        left_out: how many classes are not shown.
    """

    names: list[str]
    images: list[list[int]]
    others: list[int]
    left_out: int


@dataclass(frozen=True)
class Picture:
    """A misclassified image: a data: URL, empty where there is none, and the names of both classes."""

    image: str
    true: str
    predicted: str
    index: int


@dataclass(frozen=True)
class Classes:
    """Of one file. `confused` is None and `pictures` empty where it makes no mistake."""

    accuracy: Table
    confused: Table | None
    matrix: Matrix
    pictures: list[Picture]
    mistakes: int


def of(records: Records) -> Classes | None:
    """The classes of a run's verification; None where it counted none, as those of another task and of before."""
    found, verification = records.predictions, records.verification
    if found is None or verification is None or not found.is_of(verification):
        return None
    return Classes(
        accuracy=accuracy(found),
        confused=confused(found),
        matrix=matrix(found),
        pictures=[
            Picture(each.image, _name(found, each.true), _name(found, each.predicted), each.index)
            for each in found.mistakes
        ],
        mistakes=sum(cell.images for cell in _mistakes(found)),
    )


def accuracy(predictions: Predictions, most: int = MOST_ROWS) -> Table:
    """One row for each class that the split has images of, the least accurate first, at most so many."""
    images, right, taken, worst = _counts(predictions)
    order = sorted(images, key=lambda number: (right[number] / images[number], number))
    columns = [
        Column("class"),
        *(Column(header, number=True) for header in ("images", "recognized", "accuracy", "95 % interval", "precision")),
        Column("mostly taken for"),
    ]
    rows = [
        [
            _name(predictions, number),
            count(images[number]),
            count(right[number]),
            percent(right[number] / images[number], 1),
            interval(right[number], images[number]),
            percent(right[number] / taken[number], 1) if taken[number] else "–",
            f"{_name(predictions, worst[number].predicted)} ({count(worst[number].images)})"
            if number in worst
            else "–",
        ]
        for number in order[:most]
    ]
    caption = f"Classes on {_images(predictions)}, the least accurate first"
    if len(order) > most:
        caption += f"; {count(most)} of {count(len(order))}"
    return Table(caption, columns, rows)


def _taken_for(predictions: Predictions, cell: Cell | None) -> str:
    return f"{_name(predictions, cell.predicted)} ({count(cell.images)})" if cell else "–"


def interval(right: int, images: int) -> str:
    """Where an accuracy lies with 95 % confidence, by Wilson's interval, which suits few images too: 92.1–97.3 %."""
    share, extra = right / images, _Z**2 / images
    middle = (share + extra / 2) / (1 + extra)
    half = _Z * math.sqrt(share * (1 - share) / images + extra / (4 * images)) / (1 + extra)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return f"{low * 100:.1f}–{high * 100:.1f} %"


def confused(predictions: Predictions, most: int = MOST_PAIRS) -> Table | None:
    """The pairs of classes that are mistaken most often, at most so many; None where nothing is mistaken."""
    images, *_ = _counts(predictions)
    pairs = sorted(_mistakes(predictions), key=lambda cell: (-cell.images, cell.true, cell.predicted))
    columns = [
        Column("class"),
        Column("taken for"),
        Column("images", number=True),
        Column("share of the class", number=True),
    ]
    rows = [
        [
            _name(predictions, cell.true),
            _name(predictions, cell.predicted),
            count(cell.images),
            percent(cell.images / images[cell.true], 1),
        ]
        for cell in pairs[:most]
    ]
    caption = f"Classes mistaken for others on {_images(predictions)}"
    if len(pairs) > most:
        caption += f"; the {count(most)} most frequent of {count(len(pairs))} pairs"
    return Table(caption, columns, rows) if rows else None


def matrix(predictions: Predictions, most: int = MOST_CLASSES) -> Matrix:
    """The confusion matrix of all classes, or of the `most` that take part in most mistakes."""
    named = range(len(predictions.labels))
    every = sorted({*named, *(number for cell in predictions.confusion for number in (cell.true, cell.predicted))})
    part: Counter[int] = Counter()
    for cell in _mistakes(predictions):
        part[cell.true] += cell.images
        part[cell.predicted] += cell.images
    shown = sorted(sorted(every, key=lambda number: (-part[number], number))[:most])
    place = {number: position for position, number in enumerate(shown)}
    images, others = [[0] * len(shown) for _ in shown], [0] * len(shown)
    for cell in predictions.confusion:
        if cell.true in place and cell.predicted in place:
            images[place[cell.true]][place[cell.predicted]] += cell.images
        elif cell.true in place:
            others[place[cell.true]] += cell.images
    return Matrix([_name(predictions, number) for number in shown], images, others, len(every) - len(shown))


def _counts(predictions: Predictions) -> tuple[Counter[int], Counter[int], Counter[int], dict[int, Cell]]:
    """By class: its images, those recognized, those taken for it, and the cell of its most frequent mistake."""
    images: Counter[int] = Counter()
    right: Counter[int] = Counter()
    taken: Counter[int] = Counter()
    worst: dict[int, Cell] = {}
    for cell in predictions.confusion:
        images[cell.true] += cell.images
        taken[cell.predicted] += cell.images
        if cell.true == cell.predicted:
            right[cell.true] += cell.images
        elif cell.true not in worst or cell.images > worst[cell.true].images:
            worst[cell.true] = cell
    return images, right, taken, worst


def _mistakes(predictions: Predictions) -> list[Cell]:
    return [cell for cell in predictions.confusion if cell.true != cell.predicted]


def _name(predictions: Predictions, number: int) -> str:
    return printable(predictions.name(number), _NAME)


def _images(predictions: Predictions) -> str:
    where = f"the {printable(predictions.split)} split of {printable(predictions.dataset)}"
    return f"{plural(predictions.samples, 'image')} of {where}"
