"""`mbnn zoo load`: trained weights of the package as a run folder."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import Json, out, print_json, shell_quoted
from mobile_bnn.cli.progress import Terminal

EXAMPLE = "Example: mbnn zoo load resnet20 --weights fashion_mnist, then mbnn profile runs/resnet20-fashion_mnist"


def command(
    name: Annotated[str, typer.Argument(help="An architecture of mbnn zoo list --weights.")],
    weights: Annotated[str, typer.Option(help="The tag of its weights.")],
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/NAME-TAG by default.")] = None,
    as_json: Json = False,
) -> None:
    """Write trained weights as a run folder: model.keras and model.tflite for verify, profile, predict and train."""
    from mobile_bnn import pipeline

    folder = run or Path("runs") / f"{name}-{weights}"
    record = pipeline.load_trained(name, weights, folder, watcher=Terminal())
    if as_json:
        print_json({"run": str(folder), **record.model_dump()})
        return
    measured = f"{record.headline} {record.tflite:.2%} of {record.images:,} images of {record.dataset}"
    out.print(f"{folder}: {measured}, after {record.epochs} epochs ({record.command})", soft_wrap=True)
    quoted = shell_quoted(folder)
    out.print(f"next: mbnn profile {quoted}, or mbnn train --weights {quoted} --dataset YOURS", soft_wrap=True)
