"""`verify`: Keras and the binary file on the test images, class by class and bit by bit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256, write_bytes
from mobile_bnn.native_output import filtered_stderr
from mobile_bnn.pipeline.imports import import_first
from mobile_bnn.pipeline.locate import binary_file, is_run, keras_model, run_of_file
from mobile_bnn.pipeline.results import Kept, Shown, keep
from mobile_bnn.pipeline.watcher import Watcher
from mobile_bnn.prediction_records import Predictions
from mobile_bnn.records import Verification
from mobile_bnn.run_folder import ModelFile, RunFolder

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobile_bnn.data import Dataset
    from mobile_bnn.tasks import Task


@dataclass(frozen=True)
class Verified(Shown):
    """A verification, the file that it is of, where its record is kept, and a classifier's predictions."""

    record: Verification
    file: Path
    kept: Kept
    predictions: Predictions | None = None

    def __rich__(self) -> "RenderableType":
        from mobile_bnn.report import verification_table

        return verification_table(self.record)

    def write(self, output: Path | str) -> None:
        """Writes a copy of the verified file whose metadata record tells its accuracy.

        Raises:
            MobileBnnError: the file has no metadata record, or has changed since.
            OSError: the copy cannot be written.
        """
        from mobile_bnn.runtime import Accuracy, graph_sha256, read_metadata, with_metadata

        flatbuffer = self.file.read_bytes()
        metadata = read_metadata(flatbuffer)
        if metadata is None:
            raise MobileBnnError(f"{self.file} has no metadata", why="mobile_bnn did not write it")
        if self.record.graph_sha256 != graph_sha256(flatbuffer):
            raise MobileBnnError(f"{self.file} has changed since it was verified", cure="Verify it again")
        fields = self.record.model_dump(include={"dataset", "split", "samples", "headline", "metrics"})
        write_bytes(output, with_metadata(flatbuffer, metadata.model_copy(update={"accuracy": Accuracy(**fields)})))


@dataclass(frozen=True)
class _Found:
    """What a verification leaves."""

    record: Verification
    predictions: Predictions | None

    def keep(self, run: RunFolder) -> Kept:
        """Keeps the records in a run, the verification's first: the other one is read beside it alone."""
        kept = keep(self.record.save, run.verification)
        if kept.path is None or self.predictions is None:
            return kept
        beside = keep(self.predictions.save, run.predictions)
        return Kept(kept.path, beside.not_kept)


def verify(
    file: RunFolder | Path | str,
    *,
    model: Path | str | None = None,
    dataset: str | None = None,
    limit: int | None = None,
    imports: Sequence[Path | str] = (),
    data_dir: Path | str | None = None,
    watcher: Watcher | None = None,
) -> Verified:
    """Verifies a binary file against its Keras model on the test split; the file is not changed.

    The record is kept in the run, or beside a .tflite; that of a run is about its own model and data only. Beside the
    record of a classifier lies another one: what the file predicts of each class, and some of its mistakes.

    Args:
        file: a run folder or its model.tflite, or another binary .tflite.
        model: the Keras model that such a .tflite was made from.
        dataset: the name of the data set to verify it on.
        limit: so many test images at most.
        imports: Python files with layers of one's own, which are run first.
        data_dir: local copies of data sets.
        watcher: is told what goes on.

    Raises:
        UsageError: there is no such file, or the model and the data set are missing, or are not wanted.
        MobileBnnError: the file does not compute what Keras computes.
    """
    watcher, path = watcher or Watcher(), Path(file)
    run = run_of_file(path)
    if model or dataset:
        if is_run(path):
            raise UsageError("a run folder has its own model and data set", cure="Leave --model and --dataset out")
        if not path.is_file():
            raise UsageError(f"there is no .tflite file {path}")
    elif run:
        with run.writing():
            found = _verify_run(run, data_dir, limit, imports, watcher)
            return Verified(found.record, run.tflite, found.keep(run), found.predictions)
    elif not path.is_file():
        raise UsageError(f"there is no .tflite file {path}")
    if not (model and dataset):
        raise UsageError("a .tflite is verified against a Keras model on a data set", cure="Give --model and --dataset")
    found = _verify_file(path, Path(model), dataset, data_dir, limit, imports, watcher)
    # What a run keeps is about its own model and data.
    return Verified(found.record, path, Kept() if run else found.keep(ModelFile(path)), found.predictions)


def _verify_run(
    run: RunFolder, data_dir: Path | str | None, limit: int | None, imports: Sequence[Path | str], watcher: Watcher
) -> _Found:
    tflite, model = binary_file(run), keras_model(run)
    with watcher.status("loading TensorFlow"):
        from mobile_bnn import data
        from mobile_bnn.training import Recipe
    import_first(imports, watcher)  # the recipe may name a method of theirs
    recipe = Recipe.read(run.recipe)
    chosen, changes = recipe.data, recipe.task.training().augment
    dataset = data.load(chosen.name, data_dir=data_dir, image_size=chosen.image_size, changes=changes, near=run.path)
    return _verify(model, tflite, dataset, chosen.name, recipe.task, limit, imports, watcher)


def _verify_file(
    path: Path,
    model: Path,
    name: str,
    data_dir: Path | str | None,
    limit: int | None,
    imports: Sequence[Path | str],
    watcher: Watcher,
) -> _Found:
    with watcher.status("loading TensorFlow"):
        from mobile_bnn import data, tasks
        from mobile_bnn.runtime import read_metadata
    metadata = read_metadata(path)
    size = metadata.input_shape[0] if metadata else None
    spec = metadata and metadata.task
    task = tasks.create(spec.name, str(path), **spec.options) if spec else tasks.create("classification")
    dataset = data.load(name, data_dir=data_dir, image_size=size, changes=task.training().augment)
    return _verify(model, path, dataset, name, task, limit, imports, watcher)


def _verify(
    model: Path,
    path: Path,
    dataset: "Dataset",
    name: str,
    task: "Task",
    limit: int | None,
    imports: Sequence[Path | str],
    watcher: Watcher,
) -> _Found:
    from mobile_bnn.converters.source import load_model
    from mobile_bnn.converters.verification.verify import verify
    from mobile_bnn.pipeline.predictions import PredictionCounter
    from mobile_bnn.tasks.classification import Classification

    with watcher.status(f"reading {model}"):
        keras = load_model(model, imports)
        digest = sha256(model) if model.is_file() else ""  # a SavedModel is a folder
    test = dataset.test if limit is None else dataset.test.unbatch().take(limit).batch(64)
    total = min(limit or dataset.info.test_size, dataset.info.test_size)
    counter = PredictionCounter(dataset.info) if isinstance(task, Classification) else None
    with dataset.reading(), filtered_stderr(), watcher.progress("verifying", total, "images") as advance:
        found = verify(
            keras,
            path.read_bytes(),
            test.as_numpy_iterator(),
            dataset=name,
            task=task.fitted(dataset.info.input_shape, dataset.info.num_classes),
            labels=dataset.info.labels,
            on_progress=advance,
            on_predictions=counter.add if counter else None,
        )
    predictions = counter.record(found) if counter else None
    return _Found(found.model_copy(update={"model_sha256": digest}), predictions)
