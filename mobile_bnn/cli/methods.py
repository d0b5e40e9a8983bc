"""`mbnn methods`: the binarization methods."""

from typing import Annotated

import typer

from mobile_bnn import methods
from mobile_bnn.cli.console import Json, labelled, out, print_json
from mobile_bnn.typing import JsonObject

EXAMPLE = "Example: mbnn methods show bi_real"


def _fields(method: type[methods.Method]) -> JsonObject:
    card = method.card
    return {
        "name": card.name,
        "title": card.title,
        "year": card.year,
        "category": card.category,
        "paper": card.paper,
        "summary": card.summary,
        "deploys_as": f"class {card.deploy_class}: {methods.DEPLOY_CLASSES[card.deploy_class]}",
        "hyperparameters": {
            name: {"default": _plain(field.default), "description": field.description}
            for name, field in method.model_fields.items()
        },
    }


def _plain(default: object) -> object:
    """A default as JSON has it, which has no infinity."""
    return str(default) if default == float("inf") else default


def list_command(as_json: Json = False) -> None:
    """List the methods."""
    from mobile_bnn.report.layout import Column, Fitted, Table

    entries = [methods.get(name) for name in methods.names()]
    if as_json:
        print_json({"methods": [_fields(entry) for entry in entries]})
        return
    cards = [entry.card for entry in entries]
    columns = [Column(header) for header in ("name", "year", "category", "deploy class", "title")]
    rows = [[card.name, str(card.year), card.category, card.deploy_class, card.title] for card in cards]
    out.print(Fitted(Table("", columns, rows)))


def show_command(
    name: Annotated[str, typer.Argument(help="A name of mbnn methods list.")], as_json: Json = False
) -> None:
    """Show one method: its paper, what it does, what a layer becomes in the file, and its hyperparameters."""
    from mobile_bnn.report.layout import Column, Fitted, Table

    fields = _fields(methods.get(name))
    if as_json:
        print_json(fields)
        return
    hyperparameters = fields.pop("hyperparameters")
    for key, value in fields.items():
        out.print(labelled(f"{key.replace('_', ' '):10} ", "bold", str(value)))
    out.print("\nhyperparameters, in a recipe's [method] or as --set method.NAME=VALUE")
    columns = [Column("name", unbroken=60), Column("default"), Column("what it is")]
    rows = [[key, str(value["default"]), str(value["description"])] for key, value in hyperparameters.items()]
    out.print(Fitted(Table("", columns, rows)))
