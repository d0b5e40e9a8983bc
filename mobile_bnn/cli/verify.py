"""`mbnn verify`: Keras and the binary file on the test images, class by class and bit by bit."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mobile_bnn.cli.console import DataDir, Json, binary_file, err, keras_model, out, print_json, run_folder
from mobile_bnn.cli.convert import is_run
from mobile_bnn.cli.progress import progress
from mobile_bnn.errors import UsageError
from mobile_bnn.files import write_bytes
from mobile_bnn.runs import Operators, RunFolder, Verification

EXAMPLE = "Example: mbnn verify runs/demo    or    mbnn verify my.tflite --model my.keras --dataset cifar10"


def command(
    source: Annotated[Path, typer.Argument(help="A run folder, or a binary .tflite.")],
    model: Annotated[Path | None, typer.Option(help="The Keras model that the .tflite was made from.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The data set to verify a .tflite on.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many test images.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Verify a file against Keras on the test split: top-1 of both, agreement, sign flips of every binary layer."""
    if is_run(source):
        if model or dataset:
            raise UsageError("a run folder has its own model and data set", cure="Leave --model and --dataset out")
        verification = verify_run(run_folder(source), data_dir, limit)
    else:
        if not source.is_file():
            raise UsageError(f"there is no .tflite file {source}")
        if not (model and dataset):
            raise UsageError(
                "a .tflite is verified against a Keras model on a data set", cure="Give --model and --dataset"
            )
        verification = _verify_file(source, model, dataset, data_dir, limit)
    if as_json:
        print_json(verification.model_dump())
    else:
        from mobile_bnn import report

        out.print(report.verification_table(verification))


def verify_run(run: RunFolder, data_dir: Path | None, limit: int | None = None) -> Verification:
    """Verifies a run's file; the record is kept in the run, the accuracy in the file's metadata too."""
    tflite, model = binary_file(run), keras_model(run)
    with err.status("loading TensorFlow"):
        from mobile_bnn import data
        from mobile_bnn.runtime import Accuracy, read_metadata, with_metadata
        from mobile_bnn.training import Recipe
    recipe = Recipe.read(run.recipe)
    dataset = data.load(recipe.dataset, data_dir=data_dir, image_size=recipe.image_size)
    verification = _verify(model, tflite, dataset, recipe.dataset, limit)
    verification.save(run.verification)
    flatbuffer = tflite.read_bytes()
    if metadata := read_metadata(flatbuffer):
        accuracy = Accuracy(
            **verification.model_dump(include={"dataset", "split", "samples", "keras_top1", "tflite_top1"})
        )
        write_bytes(tflite, with_metadata(flatbuffer, metadata.model_copy(update={"accuracy": accuracy})))
        if operators := run.optional(Operators, run.operators):  # their file has another size now
            operators.model_copy(update={"file_bytes": tflite.stat().st_size}).save(run.operators)
    return verification


def _verify_file(path: Path, model: Path, name: str, data_dir: Path | None, limit: int | None) -> Verification:
    with err.status("loading TensorFlow"):
        from mobile_bnn import data
        from mobile_bnn.runtime import read_metadata
    metadata = read_metadata(path)
    return _verify(
        model,
        path,
        data.load(name, data_dir=data_dir, image_size=metadata.input_shape[0] if metadata else None),
        name,
        limit,
    )


def _verify(model: Path, path: Path, dataset: Any, name: str, limit: int | None) -> Verification:
    from mobile_bnn.converters.source import load_model
    from mobile_bnn.converters.verification import verify

    with err.status(f"reading {model}"):
        keras = load_model(model)
    test = dataset.test if limit is None else dataset.test.unbatch().take(limit).batch(64)
    total = min(limit or dataset.info.test_size, dataset.info.test_size)
    with progress("verifying", total, "images") as advance:
        return verify(keras, path.read_bytes(), test.as_numpy_iterator(), dataset=name, on_progress=advance)
