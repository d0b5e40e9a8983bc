"""`mbnn methods`: the binarization methods."""

from typing import Annotated

import typer

from mobile_bnn import methods
from mobile_bnn.cli.console import Json, labelled, out, print_json

EXAMPLE = "Example: mbnn methods show bi_real"


def _fields(method: methods.Method) -> dict[str, object]:
    return {
        "name": method.name,
        "title": method.title,
        "year": method.year,
        "category": method.category,
        "paper": method.paper,
        "summary": method.summary,
        "deploys_as": f"class {method.deploy_class}: {methods.DEPLOY_CLASSES[method.deploy_class]}",
    }


def list_command(as_json: Json = False) -> None:
    """List the methods."""
    from mobile_bnn.report.layout import Column, Fitted, Table

    entries = [methods.get(name) for name in methods.names()]
    if as_json:
        print_json({"methods": [_fields(entry) for entry in entries]})
        return
    columns = [Column(header) for header in ("name", "year", "category", "deploy class", "title")]
    rows = [[entry.name, str(entry.year), entry.category, entry.deploy_class, entry.title] for entry in entries]
    out.print(Fitted(Table("", columns, rows)))


def show_command(
    name: Annotated[str, typer.Argument(help="A name of mbnn methods list.")], as_json: Json = False
) -> None:
    """Show one method: its paper, what it does, and what a layer becomes in the file."""
    fields = _fields(methods.get(name))
    if as_json:
        print_json(fields)
        return
    for key, value in fields.items():
        out.print(labelled(f"{key.replace('_', ' '):10} ", "bold", str(value)))
