"""`mbnn lint`: which layers would be binary, which would not, why, and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, err, keras_model, out, print_json, run_folder
from mobile_bnn.cli.convert import AllowFloat
from mobile_bnn.cli.imports import Imports, import_paths
from mobile_bnn.cli.locate import is_run
from mobile_bnn.errors import MobileBnnError

if TYPE_CHECKING:
    from mobile_bnn.converters.linting import Finding
    from mobile_bnn.report.layout import Fitted

_NAME = 10  # characters: layers' names are long, and may be broken anywhere

EXAMPLE = "Example: mbnn lint my_model.keras    or    mbnn lint float.tflite --allow-float head"


def command(
    source: Annotated[Path, typer.Argument(help="A run folder, a Keras model, a SavedModel or a float .tflite.")],
    allow_float: AllowFloat = None,
    imports: Imports = None,
    as_json: Json = False,
) -> None:
    """Say of every layer what it asked for, what it would get, and why. Writes nothing.

    Exit code 1 if a layer that asked to be binary would be float and --allow-float does not name it.
    """
    files = import_paths(imports)
    with err.status(f"reading {source}"):
        from mobile_bnn.converters.linting import lint
        from mobile_bnn.converters.source import Source

        path = keras_model(run_folder(source)) if is_run(source) else source
        found = lint(Source.load(path, imports=files), allow_float or ())
    if as_json:
        print_json({"source": str(source), "layers": [vars(finding) for finding in found]})
    else:
        out.print(_table(found))
        if not any(finding.wanted == "binary" for finding in found):
            out.print("no layer asked to be binary. Give layers an input_quantizer and a kernel_quantizer")
    if unmet := [finding.layer for finding in found if finding.unmet]:
        raise MobileBnnError(f"{', '.join(unmet)} asked to be binary and would be float")


def _table(found: "list[Finding]") -> "Fitted":
    from mobile_bnn.report.layout import Column, Fitted, Table

    names = ["layer", "operator", "wanted", "gets", "why", "cure"]
    told = [name for name in names if name in names[:4] or any(vars(finding)[name] for finding in found)]
    columns = [Column(name, unbroken=_NAME if name in ("layer", "operator") else 24) for name in told]
    columns += [Column("float bytes", number=True), Column("file bytes", number=True)]
    rows = []
    for finding in found:
        row = vars(finding) | {"operator": finding.op_type}
        rows.append([*(row[name] for name in told), f"{finding.float_bytes:,}", f"{finding.file_bytes:,}"])
    styles = ["red" if finding.unmet else "green" if finding.gets == "binary" else "" for finding in found]
    return Fitted(Table("", columns, rows), row_styles=styles)
