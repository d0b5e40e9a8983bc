"""`predict`: what a file sees on images, by name, with how long that takes. Needs no TensorFlow."""

import time
from collections.abc import Iterable, Iterator, Sequence
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

    from mobile_bnn.runtime import ClassScore, Interpreter

_BAR = 10  # characters


@dataclass(frozen=True)
class Prediction:
    """What a file sees on one image.

    Attributes:
        image: its path.
        classes: the most probable first.
        latency_ms: of cropping, normalizing and the inference together; reading the file is not in it.
        true: the name of its folder, where that is a class of the file.
    """

    image: str
    classes: "list[ClassScore]"
    latency_ms: float
    true: str = ""


@dataclass(frozen=True)
class Predicted(Shown):
    """All images.

    Attributes:
        predictions: of those that could be read, in their order.
        unreadable: of the others, why.
    """

    predictions: list[Prediction]
    unreadable: list[str] = field(default_factory=list)

    @property
    def top1(self) -> float | None:
        """The share of images whose first class is their folder's; None where folders are not classes."""
        known = [each for each in self.predictions if each.true]
        return sum(each.classes[0].label == each.true for each in known) / len(known) if known else None

    @property
    def median_ms(self) -> float | None:
        """Of all images."""
        from statistics import median

        return median(each.latency_ms for each in self.predictions) if self.predictions else None

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        from mobile_bnn.report.formats import milliseconds, percent, plural
        from mobile_bnn.report.layout import Fitted

        known = sum(bool(each.true) for each in self.predictions)
        words = [plural(len(self.predictions), "image")]
        if self.median_ms is not None:
            words.append(f"median {milliseconds(self.median_ms)}")
        if self.top1 is not None:
            words.append(f"top-1 {percent(self.top1)} of {plural(known, 'image')} in folders of classes")
        return Group(Fitted(_table(self.predictions)), Text(", ".join(words)))

    def as_json(self) -> dict[str, Any]:
        """The same as plain dicts and lists; docs/json.md lists the keys."""
        return {
            "predictions": [asdict(each) for each in self.predictions],
            "unreadable": self.unreadable,
            "median_ms": self.median_ms,
            "top1": self.top1,
        }

    def csv(self) -> str:
        """A line for each image and class: image, rank, index, label, score, latency_ms, true."""
        import csv
        import io

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["image", "rank", "index", "label", "score", "latency_ms", "true"])
        for each in self.predictions:
            for rank, one in enumerate(each.classes, 1):
                writer.writerow([each.image, rank, one.index, one.label, one.score, each.latency_ms, each.true])
        return text.getvalue()


def predict(
    file: RunFolder | Path | str,
    images: Iterable[Path | str],
    *,
    top: int = 5,
    threads: int = 1,
    watcher: Watcher | None = None,
) -> Predicted:
    """Names what is on images; an image that cannot be read is left out, and named.

    Args:
        file: a run folder or its model.tflite, or another .tflite that mbnn converted.
        images: files, and folders whose images are taken with those of their folders, sorted.
        top: how many classes of each.
        threads: of the runtime.
        watcher: is told what goes on.

    Raises:
        UsageError: there is no such file, no image, or the file is not a classifier of images.
        MobileBnnError: the file is malformed.
    """
    told, paths = watcher or Watcher(), find_images(images)
    with opened(file, threads) as interpreter, told.progress("predicting", len(paths), "images") as advance:
        found = Predicted([], [])
        for path in paths:
            try:
                found.predictions.append(_prediction(interpreter, path, top))
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


def _prediction(interpreter: "Interpreter", path: Path, top: int) -> Prediction:
    from mobile_bnn.runtime import read_image

    image = read_image(path)
    began = time.perf_counter()
    classes = interpreter.classify(image, top=top)
    took = (time.perf_counter() - began) * 1e3
    labels = interpreter.metadata.labels if interpreter.metadata else []
    return Prediction(str(path), classes, took, path.parent.name if path.parent.name in labels else "")


def _table(predictions: Sequence[Prediction]) -> Any:
    from mobile_bnn.report.formats import percent, printable, significant
    from mobile_bnn.report.layout import Column, Table

    columns = [Column("image", unbroken=8), Column("class", unbroken=8), Column("probability", number=True)]
    columns += [Column(""), Column("latency (ms)", number=True)]
    rows = []
    for each in predictions:
        for rank, one in enumerate(each.classes):
            first = rank == 0
            rows.append(
                [
                    printable(each.image) if first else "",
                    printable(one.label),
                    percent(one.score, 1),
                    "█" * round(one.score * _BAR),
                    significant(each.latency_ms) if first else "",
                ]
            )
    return Table("", columns, rows)
