"""`mbnn zoo`: the architectures."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from mobile_bnn.cli.console import Json, err, out, print_json

EXAMPLE = "Example: mbnn zoo show resnet20 --method bi_real"


def list_command(as_json: Json = False) -> None:
    """List the architectures."""
    from mobile_bnn import zoo

    entries = [zoo.get(name) for name in zoo.names()]
    if as_json:
        print_json({entry.name: {"input_shape": entry.input_shape, "summary": entry.summary} for entry in entries})
        return
    table = Table("name", "designed for", "layers", box=box.SIMPLE_HEAD)
    for entry in entries:
        table.add_row(entry.name, "x".join(map(str, entry.input_shape)), entry.summary)
    out.print(table)


def show_command(
    name: Annotated[str, typer.Argument(help="A name of mbnn zoo list.")],
    method: Annotated[str, typer.Option(help="Binarization method.")] = "bnn",
    as_json: Json = False,
) -> None:
    """Show one architecture: its source, size and multiply-accumulates, and Larq's summary of its layers."""
    from mobile_bnn import zoo

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
        out.print(f"{key.replace('_', ' '):12} {f'{value:,}' if isinstance(value, int) else value}", soft_wrap=True)
    larq.models.summary(model)
