"""`mbnn verify`: Keras and the binary file on the test images, class by class and bit by bit."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import DataDir, Json, err, out, print_json, tell_if_not_kept
from mobile_bnn.cli.imports import Imports, import_paths
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.errors import UsageError
from mobile_bnn.records import PrintedVerification

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
    from mobile_bnn import pipeline

    verified = pipeline.verify(
        source,
        model=model,
        dataset=dataset,
        limit=limit,
        imports=import_paths(imports),
        data_dir=data_dir,
        watcher=Terminal(),
    )
    if as_json:
        print_json(PrintedVerification.of(verified.record).model_dump())
    else:
        out.print(verified)
    tell_if_not_kept(verified.kept)
    if output:
        verified.write(output)
        err.print(f"written: {output}", soft_wrap=True)
