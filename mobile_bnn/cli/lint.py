"""`mbnn lint`: which layers would be binary, which would not, why, and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobile_bnn.cli.console import Json, err, keras_model, out, print_json, run_folder
from mobile_bnn.cli.convert import AllowFloat, is_run
from mobile_bnn.errors import MobileBnnError

if TYPE_CHECKING:
    from mobile_bnn.converters.linting import Finding

EXAMPLE = "Example: mbnn lint my_model.keras    or    mbnn lint float.tflite --allow-float head"


def command(
    source: Annotated[Path, typer.Argument(help="A run folder, a Keras model, a SavedModel or a float .tflite.")],
    allow_float: AllowFloat = None,
    as_json: Json = False,
) -> None:
    """Say of every layer what it asked for, what it would get, and why. Writes nothing.

    Exit code 1 if a layer that asked to be binary would be float and --allow-float does not name it.
    """
    with err.status(f"reading {source}"):
        from mobile_bnn.converters.linting import lint
        from mobile_bnn.converters.source import Source

        found = lint(Source.load(keras_model(run_folder(source)) if is_run(source) else source), allow_float or ())
    if as_json:
        print_json({"source": str(source), "layers": [vars(finding) for finding in found]})
    else:
        out.print(_table(found))
        if not any(finding.wanted == "binary" for finding in found):
            out.print("no layer asked to be binary. Give layers an input_quantizer and a kernel_quantizer")
    if unmet := [finding.layer for finding in found if finding.unmet]:
        raise MobileBnnError(f"{', '.join(unmet)} asked to be binary and would be float")


def _table(found: "list[Finding]") -> Any:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    names = ["layer", "operator", "wanted", "gets", "why", "cure"]
    told = [name for name in names if name in names[:4] or any(vars(finding)[name] for finding in found)]
    for name in told:
        table.add_column(name, overflow="fold", no_wrap=name in ("wanted", "gets"))
    for header in ("float\nbytes", "file\nbytes"):
        table.add_column(header, justify="right", no_wrap=True)
    for finding in found:
        color = "red" if finding.unmet else "green" if finding.gets == "binary" else ""
        row = vars(finding) | {"operator": finding.kind}
        cells = [escape(row[name]) for name in told]
        table.add_row(*cells, f"{finding.float_bytes:,}", f"{finding.file_bytes:,}", style=color)
    return table
