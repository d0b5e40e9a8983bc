"""What a file sees on one image: classes of it, objects in it, or areas of it, as its task says."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mobile_bnn.errors import UsageError
from mobile_bnn.tasks.detection import Detection
from mobile_bnn.tasks.segmentation import Segmentation
from mobile_bnn.typing import Array

if TYPE_CHECKING:
    from mobile_bnn.runtime import ClassScore, Interpreter
    from mobile_bnn.runtime.images import Pixels
    from mobile_bnn.tasks import Task


@dataclass(frozen=True)
class SeenObject:
    """An object.

    Attributes:
        index: number of its class.
        label: name of its class.
        score: probability.
        box: (y0, x0, y1, x1) in 0 to 1 of the image's height and width.
    """

    index: int
    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class SeenArea:
    """All pixels of a class.

    Attributes:
        index: number of the class.
        label: its name.
        share: of the image's pixels, 0 to 1.
    """

    index: int
    label: str
    share: float


@dataclass(frozen=True)
class Seen:
    """What is seen on one image: one of the lists, by the file's task.

    Attributes:
        classes: the most probable first.
        objects: the most probable first.
        areas: the largest first.
        mask: of a segmentation the class of each pixel, uint8 [height, width] as the network sees the image.
    """

    classes: "list[ClassScore]" = field(default_factory=list)
    objects: list[SeenObject] = field(default_factory=list)
    areas: list[SeenArea] = field(default_factory=list)
    mask: Array | None = None


def task_of(interpreter: "Interpreter") -> "Task | None":
    """The task of a file, restored from its metadata; None for a file that says nothing of one: a classifier.

    Raises:
        UsageError: it is a task whose predictions cannot be shown.
    """
    from mobile_bnn import tasks
    from mobile_bnn.tasks.classification import Classification

    spec = interpreter.metadata and interpreter.metadata.task
    if not spec:
        return None
    task = tasks.create(spec.name, "the file's metadata", **spec.options)
    if not isinstance(task, Classification | Detection | Segmentation):
        raise UsageError(f"the file is for {spec.name}, whose predictions mbnn cannot show", cure="Use predict()")
    return task


def look(interpreter: "Interpreter", task: "Task | None", image: "Pixels", *, top: int, score: float) -> Seen:
    """Runs a file on an image.

    Args:
        interpreter: the file.
        task: its task.
        image: uint8 [height, width, channels] of any size.
        top: how many classes, for a classifier.
        score: least probability of an object, for a detector.

    Raises:
        UsageError: the file does not say how to feed it.
        MobileBnnError: its outputs are not those of its task.
    """
    if isinstance(task, Detection):
        return Seen(objects=_objects(interpreter, task, image, score))
    if isinstance(task, Segmentation):
        (mask,) = task.decode(_outputs(interpreter, task, image))
        return Seen(areas=_areas(interpreter, mask), mask=mask)
    return Seen(classes=interpreter.classify(image, top=top))


def _outputs(interpreter: "Interpreter", task: "Task", image: "Pixels") -> list[Array]:
    """Of the whole image, as tests after training resize it, float."""
    from mobile_bnn.runtime.classify import dequantized, network_input

    details = interpreter.input_details
    computed = interpreter.predict(network_input(image, interpreter.metadata, details, whole=True))
    outputs = computed if isinstance(computed, list) else [computed]
    found = [dequantized(*each) for each in zip(outputs, interpreter.output_details, strict=True)]
    task.check_outputs([output.shape for output in found])
    return found


def _objects(interpreter: "Interpreter", task: Detection, image: "Pixels", score: float) -> list[SeenObject]:
    (found,) = task.decode(_outputs(interpreter, task, image))
    kept = found.above(score)
    return [
        SeenObject(int(index), _label(interpreter, int(index)), float(probability), _box(box))
        for box, probability, index in zip(kept.boxes, kept.scores, kept.classes, strict=True)
    ]


def _box(box: Array) -> tuple[float, float, float, float]:
    top, left, bottom, right = (float(each) for each in box)
    return top, left, bottom, right


def _areas(interpreter: "Interpreter", mask: Array) -> list[SeenArea]:
    numbers, counts = np.unique(mask, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [
        SeenArea(int(numbers[at]), _label(interpreter, int(numbers[at])), float(counts[at] / mask.size)) for at in order
    ]


def _label(interpreter: "Interpreter", number: int) -> str:
    labels = interpreter.metadata.labels if interpreter.metadata else []
    return labels[number] if number < len(labels) else str(number)
