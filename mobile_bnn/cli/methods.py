"""`mbnn methods`: the binarization methods."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn import methods
from mobile_bnn.cli.console import Json, err, labelled, out, print_json
from mobile_bnn.cli.imports import Imports, run_imports
from mobile_bnn.methods.checked import checked
from mobile_bnn.typing import JsonObject

EXAMPLE = "Example: mbnn methods show bi_real --plot bi_real.png"


def _fields(method: type[methods.Method]) -> JsonObject:
    card = method.card
    found = checked().get(card.name)
    return {
        "name": card.name,
        "title": card.title,
        "year": card.year,
        "category": card.category,
        "paper": card.paper,
        "summary": card.summary,
        "formula": card.formula,
        "choices": card.choices,
        "deploys_as": f"class {card.deploy_class}: {methods.DEPLOY_CLASSES[card.deploy_class]}",
        "binary_convolutions": card.binary_convolutions,
        "needs": sorted(method.needs),
        "hyperparameters": {
            name: {"default": _plain(field.default), "description": field.description}
            for name, field in method.model_fields.items()
        },
        "published": [result.model_dump() for result in card.published],
        "checked": found.model_dump() if found else None,
    }


def _plain(default: object) -> object:
    """A default as JSON has it, which has no infinity."""
    return str(default) if default == float("inf") else default


def list_command(imports: Imports = None, as_json: Json = False) -> None:
    """List the methods.

    "trains": accuracy of a small network on scikit-learn's digits, after how many epochs. "deploys": what a layer
    becomes. "verified": the file computes what Keras does, and a broken training resumes to the same weights.
    """
    from mobile_bnn.report.layout import Column, Fitted, Table

    run_imports(imports)
    entries = [methods.get(name) for name in methods.names()]
    if as_json:
        print_json({"methods": [_fields(entry) for entry in entries]})
        return
    headers = ("name", "year", "category", "trains", "deploys", "verified", "title")
    columns = [Column(header, unbroken=60 if header == "name" else 24) for header in headers]
    out.print(Fitted(Table("", columns, [_row(entry.card) for entry in entries])))


def _row(card: methods.Card) -> list[str]:
    found = checked().get(card.name)
    trains = f"{found.best_accuracy:.0%} in {found.epochs}" if found else "-"
    count = card.binary_convolutions
    deploys = f"{card.deploy_class}: {count} bconv" if count else f"{card.deploy_class}: float"
    return [card.name, str(card.year), card.category, trains, deploys, "yes" if found else "-", card.title]


def show_command(
    name: Annotated[str, typer.Argument(help="A name of mbnn methods list.")],
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the quantizers, forward and backward, into this .png, .svg or .pdf."),
    ] = None,
    imports: Imports = None,
    as_json: Json = False,
) -> None:
    """Show one method: paper, formula, what a layer becomes in the file, hyperparameters, published results."""
    run_imports(imports)
    method = methods.get(name)
    if plot:
        from mobile_bnn.methods.curve_plot import plot as draw

        with err.status("loading TensorFlow"):
            draw(method(), plot)
    if as_json:
        print_json(_fields(method))
        return
    _show(method)
    if plot:
        out.print(f"plot {plot}", soft_wrap=True)


def _show(method: type[methods.Method]) -> None:
    from mobile_bnn.report.layout import Column, Fitted, Table

    fields = _fields(method)
    for key in ("name", "title", "year", "category", "paper", "summary", "formula", "choices", "deploys_as"):
        if fields[key]:
            out.print(labelled(f"{key.replace('_', ' '):10} ", "bold", str(fields[key]).replace("\n", "\n" + 12 * " ")))
    if method.needs:
        out.print(labelled(f"{'needs':10} ", "bold", f"a network with {method.needs_in_words()}"))
    if found := checked().get(method.card.name):
        what = f"{found.best_accuracy:.1%} of digits after {found.epochs} epochs of {found.zoo}"
        out.print(labelled(f"{'trains':10} ", "bold", what))
    out.print("\nhyperparameters, in a recipe's [method] or as --set method.NAME=VALUE")
    columns = [Column("name", unbroken=60), Column("default"), Column("what it is")]
    rows = [[key, str(value["default"]), str(value["description"])] for key, value in fields["hyperparameters"].items()]
    out.print(Fitted(Table("", columns, rows)))
    if method.card.published:
        out.print("published results (bits of weights/activations)")
        columns = [
            Column("data set"),
            Column("network"),
            Column("bits"),
            Column("top-1 %", number=True),
            Column("from"),
        ]
        results = [[r.dataset, r.network, r.bits, f"{r.top1:g}", r.source] for r in method.card.published]
        out.print(Fitted(Table("", columns, results)))
