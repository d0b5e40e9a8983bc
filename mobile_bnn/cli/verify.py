"""`mbnn verify`: Keras and the binary file on the test images, class by class and bit by bit."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobile_bnn.cli.console import DataDir, Json, binary_file, err, keep, keras_model, out, print_json
from mobile_bnn.cli.imports import Imports, import_paths
from mobile_bnn.cli.locate import is_run, run_of_file
from mobile_bnn.cli.progress import progress
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import sha256, write_bytes
from mobile_bnn.native_output import filtered_stderr
from mobile_bnn.records import PrintedVerification, Verification
from mobile_bnn.run_folder import ModelFile, RunFolder

if TYPE_CHECKING:
    from mobile_bnn.tasks import Task

EXAMPLE = "Example: mbnn verify runs/demo    or    mbnn verify my.tflite --model my.keras --dataset cifar10"


def command(
    source: Annotated[Path, typer.Argument(help="A run folder, or a binary .tflite.")],
    model: Annotated[Path | None, typer.Option(help="The Keras model that the .tflite was made from.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The data set to verify a .tflite on.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many test images.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="A copy of the .tflite to write, with the accuracy in its metadata.")
    ] = None,
    imports: Imports = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Verify a file against Keras on the test split: top-1 of both, agreement, sign flips of every binary layer.

    The result is kept in the run, or beside a .tflite. The file itself is not changed.
    """
    if output and output.suffix != ".tflite":
        raise UsageError(f"{output} does not end in .tflite")
    own_layers = import_paths(imports)
    run = run_of_file(source)
    if model or dataset:
        if is_run(source):
            raise UsageError("a run folder has its own model and data set", cure="Leave --model and --dataset out")
        if not source.is_file():
            raise UsageError(f"there is no .tflite file {source}")
    elif run:
        with run.writing():
            _finish(verify_run(run, data_dir, limit, own_layers), run, run.verification, output, as_json)
        return
    elif not source.is_file():
        raise UsageError(f"there is no .tflite file {source}")
    if not (model and dataset):
        raise UsageError("a .tflite is verified against a Keras model on a data set", cure="Give --model and --dataset")
    file = ModelFile(source)
    # What a run keeps is about its own model and data.
    record = None if run else file.verification
    _finish(_verify_file(source, model, dataset, data_dir, limit, own_layers), file, record, output, as_json)


def _finish(
    verification: Verification, run: RunFolder, record: Path | None, output: Path | None, as_json: bool
) -> None:
    show_and_keep(verification, record, as_json=as_json)
    if output:
        _write_with_accuracy(run, verification, output)


def show_and_keep(verification: Verification, record: Path | None, *, as_json: bool) -> None:
    """Prints a verification, then keeps it in `record`: what was found is not lost where nothing can be written."""
    if as_json:
        print_json(PrintedVerification.of(verification).model_dump())
    else:
        from mobile_bnn import report

        out.print(report.verification_table(verification))
    if record:
        keep(lambda: verification.save(record))


def verify_run(
    run: RunFolder, data_dir: Path | None, limit: int | None = None, imports: Sequence[Path] = ()
) -> Verification:
    """Verifies a run's file against its Keras model on its test images. Changes nothing."""
    tflite, model = binary_file(run), keras_model(run)
    with err.status("loading TensorFlow"):
        from mobile_bnn import data
        from mobile_bnn.training import Recipe
    recipe = Recipe.read(run.recipe)
    chosen, changes = recipe.data, recipe.task.training().augment
    dataset = data.load(chosen.name, data_dir=data_dir, image_size=chosen.image_size, changes=changes, near=run.path)
    return _verify(model, tflite, dataset, recipe.data.name, limit, imports, recipe.task)


def _write_with_accuracy(run: RunFolder, verification: Verification, output: Path) -> None:
    """Writes a copy of the verified file whose metadata record tells its accuracy."""
    from mobile_bnn.runtime import Accuracy, graph_sha256, read_metadata, with_metadata

    flatbuffer = run.tflite.read_bytes()
    metadata = read_metadata(flatbuffer)
    if metadata is None:
        raise MobileBnnError(f"{run.tflite} has no metadata", why="mobile_bnn did not write it")
    if verification.graph_sha256 != graph_sha256(flatbuffer):
        raise MobileBnnError(f"{run.tflite} has changed since it was verified", cure="Verify it again")
    fields = verification.model_dump(include={"dataset", "split", "samples", "headline", "metrics"})
    write_bytes(output, with_metadata(flatbuffer, metadata.model_copy(update={"accuracy": Accuracy(**fields)})))
    err.print(f"written: {output}", soft_wrap=True)


def _verify_file(
    path: Path, model: Path, name: str, data_dir: Path | None, limit: int | None, imports: Sequence[Path]
) -> Verification:
    with err.status("loading TensorFlow"):
        from mobile_bnn import data, tasks
        from mobile_bnn.runtime import read_metadata
    metadata = read_metadata(path)
    size = metadata.input_shape[0] if metadata else None
    spec = metadata and metadata.task
    task = tasks.create(spec.name, str(path), **spec.options) if spec else tasks.create("classification")
    dataset = data.load(name, data_dir=data_dir, image_size=size, changes=task.training().augment)
    return _verify(model, path, dataset, name, limit, imports, task)


def _verify(
    model: Path,
    path: Path,
    dataset: Any,
    name: str,
    limit: int | None,
    imports: Sequence[Path],
    task: "Task",
) -> Verification:
    from mobile_bnn.converters.source import load_model
    from mobile_bnn.converters.verification.verify import verify

    with err.status(f"reading {model}"):
        keras = load_model(model, imports)
        digest = sha256(model) if model.is_file() else ""  # a SavedModel is a folder
    test = dataset.test if limit is None else dataset.test.unbatch().take(limit).batch(64)
    total = min(limit or dataset.info.test_size, dataset.info.test_size)
    with dataset.reading(), filtered_stderr(), progress("verifying", total, "images") as advance:
        found = verify(keras, path.read_bytes(), test.as_numpy_iterator(), dataset=name, task=task, on_progress=advance)
    return found.model_copy(update={"model_sha256": digest})
