"""`mbnn import-weights`: weights that others trained, into a network of the zoo."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.assignments import assigned
from mobile_bnn.cli.console import Json, err, labelled, out, print_json, shell_quoted
from mobile_bnn.errors import UsageError
from mobile_bnn.wording import plural

if TYPE_CHECKING:
    from mobile_bnn.typing import JsonObject
    from mobile_bnn.zoo.importing.loading import Imported

EXAMPLE = "Example: mbnn import-weights quicknet quicknet_weights.h5, then mbnn convert quicknet.keras"


def command(
    name: Annotated[str, typer.Argument(help="A name of mbnn zoo list.")],
    file: Annotated[Path, typer.Argument(help="Larq Zoo's .h5, a checkpoint of torch.save, or .safetensors.")],
    output: Annotated[Path | None, typer.Option(help="The .keras to write; NAME.keras by default.")] = None,
    input_shape: Annotated[
        str | None, typer.Option(metavar="HxWxC", help="Of images, where it is not the network's own: 224x224x3.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the network, such as width=0.5; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Load weights of Larq Zoo, or of the authors of a network, and write a Keras model for mbnn convert.

    A file is read as data and never run. One that does not fill the whole network, by names and shapes, is refused.
    """
    output = output or Path(f"{name}.keras")
    if output.suffix != ".keras":
        raise UsageError(f"{output} does not end in .keras")
    options = {each.removeprefix("network."): value for each, value in assigned(set_ or [], "width=0.5").items()}
    from mobile_bnn.converters.input_shapes import parse_input_shapes
    from mobile_bnn.zoo.importing.loading import import_weights

    shape = parse_input_shapes([input_shape] if input_shape else None)
    if isinstance(shape, Mapping):
        raise UsageError(f"{input_shape!r} is not a shape", cure="Give height, width and channels, 224x224x3")
    with err.status(f"reading {file}"):
        imported = import_weights(name, file, shape, options)
    imported.save(output)
    report = _report(imported, output)
    if as_json:
        print_json(report)
    else:
        _show(imported, report, output)


def _report(imported: "Imported", output: Path) -> "JsonObject":
    slots, publication = imported.slots, imported.publication
    return {
        "network": publication.zoo,
        "source": publication.source,
        "method": publication.method,
        "output": str(output),
        "parameters": int(imported.model.count_params()),
        "num_classes": int(imported.model.output_shape[-1]),
        "arrays": [
            {
                "names": list(each.names),
                "shapes": [list(s) for s in each.shapes],
                "layer": each.layer,
                "weight": each.weight,
            }
            for each in slots
        ],
        "unused": imported.unused,
        "notes": list(imported.notes),
    }


def _show(imported: "Imported", report: "JsonObject", output: Path) -> None:
    from mobile_bnn.report.layout import Column, Fitted, Table

    rows = [
        [f"{name}", "x".join(map(str, shape)) or "scalar", f"{slot.layer}/{slot.weight}"]
        for slot in imported.slots
        for name, shape in zip(slot.names, slot.shapes, strict=True)
    ]
    columns = [Column("in the file", unbroken=60), Column("shape"), Column("here", unbroken=60)]
    out.print(Fitted(Table(f"Weights of {imported.publication.source}", columns, rows)))
    for note in imported.notes:
        out.print(labelled("note:", "yellow", note), soft_wrap=True)
    if unused := imported.unused:
        out.print(f"{plural(len(unused), 'array')} of no use: {', '.join(unused[:3])}{', …' if unused[3:] else ''}")
    facts = f"{plural(len(rows), 'array')}, {report['parameters']:,} parameters, method {report['method']}"
    out.print(f"{output}: {report['network']} with {facts}", soft_wrap=True)
    out.print(f"next: mbnn convert {shell_quoted(output)}", soft_wrap=True)
