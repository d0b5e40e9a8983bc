"""`mbnn zoo show`: one architecture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, err, out, print_json
from mobile_bnn.cli.imports import Imports, run_imports

if TYPE_CHECKING:
    from mobile_bnn.report.layout import Table

EXAMPLE = "Example: mbnn zoo show resnet20 --method bi_real"


def command(
    name: Annotated[str, typer.Argument(help="A name of mbnn zoo list.")],
    method: Annotated[str | None, typer.Option(help="Binarization method; that of its recipe by default.")] = None,
    imports: Imports = None,
    as_json: Json = False,
) -> None:
    """Show one architecture: its source, costs, accuracies and trained weights, and Larq's summary of its layers."""
    from mobile_bnn import zoo
    from mobile_bnn.report.layout import Fitted
    from mobile_bnn.training import Recipe

    run_imports(imports)
    entry, chosen = zoo.get(name), method or Recipe.of_zoo(name).method
    with err.status("loading TensorFlow"):
        from mobile_bnn.legacy_keras import larq
        from mobile_bnn.zoo import counts
        from mobile_bnn.zoo.facts import facts

        model = zoo.build(name, chosen)
        profile = larq.models.ModelProfile(model)
        counted = counts.of(model)
    figures = {
        "name": name,
        "method": method or Recipe.of_zoo(name).method.card.name,
        "source": entry.source,
        **facts(entry),
        "num_classes": entry.num_classes,
        "parameters": counted.parameters,
        "binary_convolutions": counted.binary_convolutions,
        "binary_macs": counted.binary_macs,
        "float_macs": counted.float_macs,
        "glue_visits": counted.glue_visits,
        "bytes": profile.memory // 8,
    }
    if as_json:
        print_json(figures)
        return
    for key, value in figures.items():
        out.print(f"{key.replace('_', ' '):20} {_in_words(key, value)}")
    out.print(Fitted(_layers(profile.generate_table())))
    out.print(Fitted(_totals(profile.generate_summary())))


def _in_words(key: str, value: object) -> str:
    if key == "published" and isinstance(value, list):
        return "; ".join(f"{each['top1']:g}% on {each['dataset']} ({each['source']})" for each in value) or "nothing"
    if key == "weights" and isinstance(value, dict):
        tags = (f"{tag} ({each['metric']} {each['tflite']:.2%})" for tag, each in value.items())
        return ", ".join(tags) or "none in the package"
    if value is None:
        return "not measured"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "x".join(map(str, value))
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _layers(rows: Sequence[Sequence[object]]) -> "Table":
    """Larq's table: the first row has the headers, the last one the totals."""
    from mobile_bnn.report.layout import Column, Table

    header, *layers, totals = [[_cell(cell) for cell in row] for row in rows]
    columns = [Column(text, number=text not in ("Layer", "Outputs")) for text in header]
    return Table("Larq's summary", columns, layers, totals)


def _totals(rows: Sequence[Sequence[object]]) -> "Table":
    from mobile_bnn.report.layout import Column, Table

    return Table("", [Column(""), Column("", number=True)], [[_cell(cell) for cell in row] for row in rows])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("\n", " ")
