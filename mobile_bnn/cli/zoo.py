"""`mbnn zoo`: the architectures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, err, out, print_json
from mobile_bnn.cli.imports import Imports, run_imports

if TYPE_CHECKING:
    from mobile_bnn.report.layout import Table

_NAME = 60  # characters of a name that must stay together: it is to be typed

EXAMPLE = "Example: mbnn zoo show resnet20 --method bi_real"


def list_command(as_json: Json = False) -> None:
    """List the architectures."""
    from mobile_bnn import zoo
    from mobile_bnn.report.layout import Column, Fitted, Table

    entries = [zoo.get(name) for name in zoo.names()]
    if as_json:
        print_json({entry.name: {"input_shape": entry.input_shape, "summary": entry.summary} for entry in entries})
        return
    columns = [Column("name", unbroken=_NAME), Column("designed for"), Column("layers")]
    rows = [[entry.name, "x".join(map(str, entry.input_shape)), entry.summary] for entry in entries]
    out.print(Fitted(Table("", columns, rows)))


def show_command(
    name: Annotated[str, typer.Argument(help="A name of mbnn zoo list.")],
    method: Annotated[str, typer.Option(help="Binarization method.")] = "bnn",
    imports: Imports = None,
    as_json: Json = False,
) -> None:
    """Show one architecture: its source, size and multiply-accumulates, and Larq's summary of its layers."""
    from mobile_bnn import zoo
    from mobile_bnn.report.layout import Fitted

    run_imports(imports)
    entry = zoo.get(name)
    with err.status("loading TensorFlow"):
        from mobile_bnn.legacy_keras import larq

        model = zoo.build(name, method)
        profile = larq.models.ModelProfile(model)
    macs = [operation for layer in profile.layer_profiles for operation in layer.op_profiles]
    figures = {
        "name": name,
        "method": method,
        "source": entry.source,
        "input_shape": entry.input_shape,
        "num_classes": entry.num_classes,
        "parameters": model.count_params(),
        "bytes": profile.memory // 8,
        "binary_macs": sum(operation.n for operation in macs if operation.precision == 1),
        "float_macs": sum(operation.n for operation in macs if operation.precision != 1),
    }
    if as_json:
        print_json(figures)
        return
    for key, value in figures.items():
        out.print(f"{key.replace('_', ' '):12} {f'{value:,}' if isinstance(value, int) else value}")
    out.print(Fitted(_layers(profile.generate_table())))
    out.print(Fitted(_totals(profile.generate_summary())))


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
