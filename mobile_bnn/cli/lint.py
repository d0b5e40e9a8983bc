"""`mbnn lint`: which layers would be binary, which would not, why, and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, err, out, print_json
from mobile_bnn.cli.convert import AllowFloat, InputShapes
from mobile_bnn.cli.imports import Imports, import_paths
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.pipeline.locate import is_run, keras_model, run_folder

if TYPE_CHECKING:
    from mobile_bnn.converters.linting import Finding
    from mobile_bnn.converters.source import Source
    from mobile_bnn.converters.tracing import Unapplied
    from mobile_bnn.report.layout import Fitted

_NAME = 10  # characters: layers' names are long, and may be broken anywhere
_WORDS = 24

ModelArgument = Annotated[
    Path | None,
    typer.Argument(help="A run folder, a Keras model, a SavedModel or a float .tflite.", show_default=False),
]
TraceOption = Annotated[
    str | None, typer.Option(metavar="LAYER", help="Say which rules did not apply near a layer, and why.")
]
ExplainOption = Annotated[
    str | None, typer.Option(metavar="CODE", help="Say what a reason's code means, and the cure. Takes no model.")
]

EXAMPLE = "Example: mbnn lint my_model.keras    or    mbnn lint float.tflite --allow-float head"


def command(
    source: ModelArgument = None,
    allow_float: AllowFloat = None,
    imports: Imports = None,
    input_shape: InputShapes = None,
    trace: TraceOption = None,
    explain: ExplainOption = None,
    as_json: Json = False,
) -> None:
    """Say of every layer what it is declared as, what it is converted to, and why. Writes nothing.

    Exit code 1 if a layer that is declared binary would be float and --allow-float does not name it.
    """
    if explain is not None:
        _explain(explain, as_json)
        return
    if source is None:
        raise UsageError("there is no model to lint", cure="mbnn lint MODEL, or mbnn lint --explain CODE")
    files = import_paths(imports)
    with err.status(f"reading {source}"):
        from mobile_bnn.converters.input_shapes import parse_input_shapes
        from mobile_bnn.converters.linting import how_to_declare, lint
        from mobile_bnn.converters.source import Source

        path = keras_model(run_folder(source)) if is_run(source) else source
        model = Source.load(path, imports=files, input_shape=parse_input_shapes(input_shape))
        found = lint(model, allow_float or ())
    if trace is not None:
        _trace(source, model, found, trace, as_json)
        return
    if as_json:
        print_json(_answer(str(source), found))
    else:
        out.print(_table(found))
        if not any(finding.declared == "binary" for finding in found):
            out.print(f"no layer is declared binary. {how_to_declare(model)}", soft_wrap=True)
    if unsupported := [finding.layer for finding in found if finding.unsupported]:
        raise MobileBnnError(f"{', '.join(unsupported)} is declared binary and would be float")


def _answer(
    source: str,
    found: "list[Finding]",
    trace: list[dict[str, object]] | None = None,
    explanation: dict[str, object] | None = None,
) -> dict[str, object]:
    layers = [{**vars(finding), **_former_names(finding)} for finding in found]
    return {"source": source, "layers": layers, "trace": trace, "explanation": explanation}


def _former_names(finding: "Finding") -> dict[str, str]:
    """The keys that readers of JSON knew these fields by, which docs/json.md promises to keep."""
    return {"kind": finding.op_type, "wanted": finding.declared, "gets": finding.converted_to}


def _explain(code: str, as_json: bool) -> None:
    from mobile_bnn.converters.tracing import explain

    told = explain(code)
    if as_json:
        print_json(_answer("", [], explanation={"code": code, **vars(told)}))
        return
    for name, text in (("code", code), ("found", told.meaning), ("why", told.why), ("cure", told.cure)):
        out.print(f"{name}: {text.format(layer='LAYER')}")


def _trace(path: Path, model: "Source", found: "list[Finding]", layer: str, as_json: bool) -> None:
    from mobile_bnn.converters.tracing import trace

    unapplied = trace(model, layer)
    if as_json:
        own = [finding for finding in found if finding.layer == layer]
        print_json(_answer(str(path), own, trace=[vars(each) for each in unapplied]))
    elif unapplied:
        out.print(_trace_table(unapplied))
    else:
        out.print(f"every rule that starts from an operator near {layer} applied")


def _trace_table(unapplied: "list[Unapplied]") -> "Fitted":
    from mobile_bnn.report.layout import Column, Fitted, Table

    columns = [Column(name, unbroken=_NAME) for name in ("operator", "computes", "rule", "code")]
    columns.append(Column("why it did not apply", unbroken=_WORDS))
    rows = [[each.op_type, each.computes, each.rule, each.code.value, each.why] for each in unapplied]
    return Fitted(Table("", columns, rows))


def _table(found: "list[Finding]") -> "Fitted":
    from mobile_bnn.report.layout import Column, Fitted, Table

    cells = [
        {
            "layer": finding.layer,
            "operator": finding.op_type,
            "in": f"subgraph {finding.subgraph}" if finding.subgraph else "",
            "declared": finding.declared,
            "converted to": finding.converted_to,
            "why": finding.why,
            "cure": finding.cure,
        }
        for finding in found
    ]
    names = ["layer", "operator", *(["in"] if any(row["in"] for row in cells) else []), "declared", "converted to"]
    names += [name for name in ("why", "cure") if any(row[name] for row in cells)]
    columns = [Column(name, unbroken=_NAME if name in ("layer", "operator") else _WORDS) for name in names]
    columns += [Column("float bytes", number=True), Column("file bytes", number=True)]
    rows = [
        [*(row[name] for name in names), f"{finding.float_bytes:,}", f"{finding.file_bytes:,}"]
        for row, finding in zip(cells, found, strict=True)
    ]
    styles = [
        "red" if finding.unsupported else "green" if finding.converted_to == "binary" else "" for finding in found
    ]
    return Fitted(Table("", columns, rows), row_styles=styles)
