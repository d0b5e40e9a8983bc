"""`mbnn inspect`: what is inside a .tflite, operator by operator."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, err, out, print_json
from mobile_bnn.cli.imports import Imports, import_paths
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.pipeline.locate import binary_file, is_run, run_folder
from mobile_bnn.records import Operators
from mobile_bnn.wording import plural

if TYPE_CHECKING:
    from mobile_bnn.converters.keras.larq_summary import SummaryComparison
    from mobile_bnn.report.layout import Fitted
    from mobile_bnn.runtime import ReferenceCheck

EXAMPLE = "Example: mbnn inspect runs/demo    or    mbnn inspect model.tflite --json"


def command(
    source: Annotated[Path, typer.Argument(help="A .tflite, or a run folder.")],
    model: Annotated[
        Path | None, typer.Option(help="A Keras model whose Larq summary is set beside the file; a run has its own.")
    ] = None,
    imports: Imports = None,
    as_json: Json = False,
) -> None:
    """Print a file's operators with binary and float multiply-accumulates (MACs) and bytes, beside Larq's summary.

    Where the file records reference outputs, they are computed here too and compared.
    """
    from mobile_bnn.runtime import operator_table, read_metadata

    path, float_layers, files, asked = source, {}, import_paths(imports), model is not None
    if is_run(source):
        run = run_folder(source)
        path, model = binary_file(run), model or (run.model if run.model.is_file() else None)
        float_layers = recorded.float_layers if (recorded := run.optional(Operators, run.operators)) else {}
    operators, metadata = operator_table(path).model_copy(update={"float_layers": float_layers}), read_metadata(path)
    if files and model is None:
        raise UsageError("--import is for a Keras model", why=f"{source} is inspected without one", cure="Give --model")
    comparison = _compare(model, files, operators, needed=asked) if model else None
    reference = _check_reference(path) if metadata and metadata.reference else None
    if as_json:
        fields = {"file": str(path), **operators.model_dump()}
        fields["metadata"] = metadata.model_dump() if metadata else None
        fields["reference"] = vars(reference) if reference else None
        fields["larq_summary"] = vars(comparison) if comparison else None
        print_json(fields)
        return
    from mobile_bnn import report

    out.print(report.operator_table(operators))
    if reference:
        out.print(f"reference outputs of {plural(reference.samples, 'sample')}: {reference.line}")
    if comparison:
        out.print(_comparison_table(comparison))


def _check_reference(path: Path) -> "ReferenceCheck | None":
    """The file's outputs beside those that it records; None, and a line that says why, where it does not run here."""
    from mobile_bnn.native_output import without_noise
    from mobile_bnn.runtime import check_reference

    try:
        with without_noise():
            return check_reference(path)
    except MobileBnnError as error:
        err.print(f"without its reference outputs: {error}", soft_wrap=True)
        return None


def _compare(model: Path, imports: Sequence[Path], operators: Operators, *, needed: bool) -> "SummaryComparison | None":
    """The Keras model beside the file; None on the device side, which has no TensorFlow, unless it is `needed`."""
    if not needed and find_spec("tensorflow") is None:
        err.print("without Larq's summary: TensorFlow is not installed here", soft_wrap=True)
        return None
    with err.status("loading TensorFlow"):
        from mobile_bnn.converters.keras.larq_summary import compare_with_larq
        from mobile_bnn.converters.source import load_model

        return compare_with_larq(load_model(model, imports), operators)


def _comparison_table(comparison: "SummaryComparison") -> "Fitted":
    from mobile_bnn.report.layout import Column, Fitted, Table

    columns = [Column(""), Column("Larq's summary", number=True), Column("the file", number=True)]
    rows = {
        "binary MACs": (comparison.larq_binary_macs, comparison.file_binary_macs),
        "float MACs": (comparison.larq_float_macs, comparison.file_float_macs),
        "bytes": (comparison.larq_bytes, comparison.file_bytes),
    }
    cells = [[name, f"{larq:,}", f"{file:,}"] for name, (larq, file) in rows.items()]
    return Fitted(Table("Larq's summary of the Keras model, beside the file", columns, cells))
