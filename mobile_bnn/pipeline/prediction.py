"""`predict`: what a file sees on images, and where, with how long that takes. Needs no TensorFlow."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.native_output import filtered_stderr
from mobile_bnn.pipeline.locate import binary_file, run_or_file
from mobile_bnn.pipeline.results import Shown
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.run_folder import ModelFile, RunFolder

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobile_bnn.pipeline.seen import SeenArea, SeenObject
    from mobile_bnn.runtime import ClassScore, Interpreter
    from mobile_bnn.tasks import Task


@dataclass(frozen=True)
class Prediction:
    """What a file sees on one image: classes, objects or areas, by its task.

    Attributes:
        image: its path.
        classes: the most probable first.
        latency_ms: of resizing, normalizing, the inference and decoding together; reading the file is not in it.
        true: the name of its folder, where that is a class of the file.
        objects: the most probable first.
        areas: the largest first.
        size: (height, width) of the image in pixels.
        drawn: the picture with all this on it; empty if none was asked for.
    """

    image: str
    classes: "list[ClassScore]"
    latency_ms: float
    true: str = ""
    objects: "list[SeenObject]" = field(default_factory=list)
    areas: "list[SeenArea]" = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    drawn: str = ""


@dataclass(frozen=True)
class Predicted(Shown):
    """All images.

    Attributes:
        predictions: of those that could be read, in their order.
        unreadable: of the others, why.
        task: of the file.
    """

    predictions: list[Prediction]
    unreadable: list[str] = field(default_factory=list)
    task: str = "classification"

    @property
    def top1(self) -> float | None:
        """The share of images whose first class is their folder's; None where folders are not classes."""
        known = [each for each in self.predictions if each.true and each.classes]
        return sum(each.classes[0].label == each.true for each in known) / len(known) if known else None

    @property
    def median_ms(self) -> float | None:
        """Of all images."""
        from statistics import median

        return median(each.latency_ms for each in self.predictions) if self.predictions else None

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        from mobile_bnn.pipeline.prediction_tables import summary, table
        from mobile_bnn.report.layout import Fitted

        return Group(Fitted(table(self)), Text(summary(self)))

    def as_json(self) -> dict[str, Any]:
        """The same as plain dicts and lists; docs/json.md lists the keys."""
        return {
            "task": self.task,
            "predictions": [asdict(each) for each in self.predictions],
            "unreadable": self.unreadable,
            "median_ms": self.median_ms,
            "top1": self.top1,
        }

    def csv(self) -> str:
        """A line for each image and class, object or area; the first line names the columns."""
        from mobile_bnn.pipeline.prediction_tables import csv_lines

        return csv_lines(self)


def predict(
    file: RunFolder | Path | str,
    images: Iterable[Path | str],
    *,
    top: int = 5,
    score: float = 0.5,
    threads: int = 1,
    draw: Path | str | None = None,
    watcher: Watcher | None = None,
) -> Predicted:
    """Names what is on images, with boxes or areas where the file finds such; one that cannot be read is left out.

    Args:
        file: a run folder or its model.tflite, or another .tflite that mbnn converted.
        images: files, and folders whose images are taken with those of their folders, sorted.
        top: how many classes of each, of a classifier.
        score: least probability of an object, of a detector.
        threads: of the runtime.
        draw: a folder for pictures with what was found drawn onto them.
        watcher: is told what goes on.

    Raises:
        UsageError: there is no such file, no image, or the file is for another task.
        MobileBnnError: the file is malformed.
    """
    from mobile_bnn.pipeline.seen import task_of

    told, paths = watcher or Watcher(), find_images(images)
    with opened(file, threads) as interpreter, told.progress("predicting", len(paths), "images") as advance:
        task = task_of(interpreter)
        found = Predicted([], [], task.name if task else Predicted.task)
        for path in paths:
            try:
                found.predictions.append(_prediction(interpreter, task, path, top, score, draw))
            except UsageError:
                raise
            except MobileBnnError as error:
                found.unreadable.append(str(error))
            advance(1)
    return found


def opened(file: RunFolder | Path | str, threads: int) -> "Interpreter":
    """An interpreter of a run's binary file, or of a .tflite.

    Raises:
        UsageError: there is none.
        MobileBnnError: it is malformed.
    """
    from mobile_bnn.runtime import Interpreter

    run = run_or_file(Path(file))
    with filtered_stderr():  # LiteRT says that it has started XNNPACK
        return Interpreter(run.tflite if isinstance(run, ModelFile) else binary_file(run), num_threads=threads)


def find_images(sources: Iterable[Path | str]) -> list[Path]:
    """Files as they are named, and the images in folders and theirs, sorted; hidden ones are left out.

    Raises:
        UsageError: there is no such file or folder, or a folder holds no image.
    """
    found = [path for source in sources for path in _images_of(Path(source))]
    if not found:
        raise UsageError("there is nothing to predict", cure="Name images, or folders of images")
    return found


def _images_of(source: Path) -> Iterator[Path]:
    from mobile_bnn.runtime.images import SUFFIXES

    if source.is_file():
        yield source
        return
    if not source.is_dir():
        raise UsageError(f"there is no image {source}")
    inside = (path for path in sorted(source.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file())
    images = [path for path in inside if not any(part.startswith(".") for part in path.relative_to(source).parts)]
    if not images:
        raise UsageError(f"{source} holds no image", why=f"none ends in {', '.join(sorted(SUFFIXES))}")
    yield from images


def _prediction(
    interpreter: "Interpreter", task: "Task | None", path: Path, top: int, score: float, draw: Path | str | None
) -> Prediction:
    from mobile_bnn.pipeline.seen import look
    from mobile_bnn.runtime import read_image

    image = read_image(path)
    began = time.perf_counter()
    seen = look(interpreter, task, image, top=top, score=score)
    took = (time.perf_counter() - began) * 1e3
    drawn = ""
    if draw is not None:
        from mobile_bnn.pipeline import pictures

        drawn = str(pictures.save(pictures.draw(image, seen), Path(draw), path))
    labels = interpreter.metadata.labels if interpreter.metadata else []
    true = path.parent.name if seen.classes and path.parent.name in labels else ""
    size = (image.shape[0], image.shape[1])
    return Prediction(str(path), seen.classes, took, true, seen.objects, seen.areas, size, drawn)
