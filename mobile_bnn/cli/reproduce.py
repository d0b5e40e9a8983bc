"""`mbnn reproduce`: published results, trained anew."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import DataDir, Json, err, out, print_json
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.typing import JsonObject

if TYPE_CHECKING:
    from mobile_bnn.report.layout import Table
    from mobile_bnn.training.reproductions import Reproduction, Row

EXAMPLE = "Example: mbnn reproduce ir_net-resnet20-cifar10 --data-dir ~/data"

_NAME = 60  # characters of a name that must stay together: it is to be typed


def command(
    name: Annotated[str | None, typer.Argument(help="What to reproduce; without it the table is printed.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/reproduce/NAME by default.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train a published recipe, convert and verify the model, and keep the row of the table.

    A training that was broken off goes on after its last whole epoch.
    """
    if name is None:
        _print_table(as_json)
        return
    from mobile_bnn import pipeline

    done = pipeline.reproduce(name, run, data_dir=data_dir, console=err, watcher=Terminal())
    if as_json:
        facts = {"name": name, "run": str(done.run), "row": done.row.model_dump(), "kept": done.kept and str(done.kept)}
        print_json({"done": facts, "table": {}})
    else:
        out.print(done)


def _print_table(as_json: bool) -> None:
    from mobile_bnn.report.layout import Fitted
    from mobile_bnn.training import reproductions

    rows = reproductions.reproduced()
    found = [(reproductions.get(name), rows.get(name)) for name in reproductions.names()]
    if as_json:
        print_json({"done": None, "table": {each.name: _fields(each, row) for each, row in found}})
    else:
        out.print(Fitted(_table(found)))


def _fields(each: "Reproduction", row: "Row | None") -> JsonObject:
    recipe = each.recipe
    return {
        "zoo": recipe.zoo,
        "method": recipe.method.card.name,
        "dataset": recipe.data.name,
        "epochs": recipe.epochs,
        "published": each.published and each.published.model_dump(),
        "reproduced": row and row.model_dump(),
    }


def _table(found: "list[tuple[Reproduction, Row | None]]") -> "Table":
    from mobile_bnn.report.formats import percent
    from mobile_bnn.report.layout import Column, Table

    columns = [
        Column("name", unbroken=_NAME),
        Column("epochs", number=True),
        Column("metric"),
        Column("published", number=True),
        Column("reproduced here"),
    ]
    lines = [
        [
            each.name,
            str(each.recipe.epochs),
            each.recipe.task.headline,
            f"{each.published.value:g}%" if each.published else "",
            percent(row.tflite) if row else "no",
        ]
        for each, row in found
    ]
    return Table("", columns, lines)
