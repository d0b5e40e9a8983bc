"""`mbnn zoo baseline`: a float network that a binary one has to beat."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import Json, out, print_json
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.errors import UsageError

EXAMPLE = (
    "Example: mbnn zoo baseline mobilenet_v2 --int8 --output mobilenet.tflite, then "
    "mbnn profile model.tflite --against mobilenet.tflite"
)


def command(
    name: Annotated[
        str | None, typer.Argument(help="mobilenet, mobilenet_v2 or another; without one all are listed.")
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Let it compute in int8.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="The .tflite to write; by default NAME.tflite, or NAME_int8.tflite.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a float network of Keras as .tflite, with random weights for its latency and its published accuracy."""
    from mobile_bnn import pipeline

    if name is None:
        if int8 or output:
            raise UsageError(
                "which baseline is to be written is not said", cure="Name one; mbnn zoo baseline lists all"
            )
        _list(as_json)
        return
    path = output or Path(f"{name}{'_int8' if int8 else ''}.tflite")
    written = pipeline.baseline(name, path, int8=int8, watcher=Terminal())
    if as_json:
        facts = {"file": str(written.path), "sidecar": str(written.sidecar), **written.facts}
        print_json({"written": facts, "baselines": {}})
        return
    out.print(f"{written.path} and {written.sidecar.name}", soft_wrap=True)
    out.print(f"{written.facts['model']}, random weights; published top-1 {written.facts['accuracy']:.1%}")
    out.print(f"source: {written.facts['source']}", soft_wrap=True)


def _list(as_json: bool) -> None:
    from mobile_bnn.report.layout import Column, Fitted, Table
    from mobile_bnn.zoo import baselines

    every = {name: baselines.get(name) for name in baselines.names()}
    if as_json:
        facts = {name: {"model": each.title, "top1": each.top1, "source": each.source} for name, each in every.items()}
        print_json({"written": None, "baselines": facts})
        return
    columns = [Column("name", unbroken=60), Column("Keras"), Column("published top-1", number=True), Column("source")]
    rows = [[name, each.title, f"{each.top1:.1%}", each.source] for name, each in every.items()]
    out.print(Fitted(Table("", columns, rows)))
