"""`mbnn convert`: a run or a Keras model to a binary .tflite."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobile_bnn.cli.console import Json, err, out, print_json, run_folder
from mobile_bnn.errors import UsageError
from mobile_bnn.runs import DatasetRecord, RunFolder

if TYPE_CHECKING:
    from mobile_bnn.converters.conversion import Conversion
    from mobile_bnn.runtime import ModelMetadata

EXAMPLE = "Example: mbnn convert runs/demo    or    mbnn convert my_model.keras --output my_model.tflite"

AllowFloat = Annotated[
    list[str] | None,
    typer.Option("--allow-float", help="A layer that may stay float though it asked to be binary; all for any."),
]


class Via(str, Enum):
    """Whose rules make the binary operators."""

    rules = "rules"
    lce = "lce"


def command(
    source: Annotated[
        Path, typer.Argument(help="A run folder, a Keras model (.keras, .h5), a SavedModel or a float .tflite.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="The .tflite to write; for a run, model.tflite in its folder.")
    ] = None,
    float_file: Annotated[
        bool, typer.Option("--float/--no-float", help="Also write the float .tflite that speed is compared with.")
    ] = True,
    allow_float: AllowFloat = None,
    via: Annotated[Via, typer.Option(help="Our rules, or LCE's converter for comparison.")] = Via.rules,
    as_json: Json = False,
) -> None:
    """Convert to a binary .tflite.

    The file is compared with the float one and with Keras, layer by layer, first: one that computes something else is
    not written.
    """
    options: dict[str, Any] = {"allow_float": allow_float or (), "via": via.value}
    if is_run(source):
        conversion = convert_run(run_folder(source), output, float_file=float_file, **options)
    else:
        conversion = convert_model(source, output or _output_of(source), float_file=float_file, **options)
    if as_json:
        print_json(
            {
                "file": str(conversion.path),
                "bytes": conversion.operators.file_bytes,
                "binary_layers": [layer.layer for layer in conversion.layers],
                "float_layers": conversion.float_layers,
                "binary_macs": conversion.operators.total("binary_macs"),
                "float_macs": conversion.operators.total("float_macs"),
            }
        )
    else:
        show(conversion)


def _output_of(source: Path) -> Path:
    return source.with_name(f"{source.stem}_binary.tflite" if source.suffix == ".tflite" else f"{source.stem}.tflite")


def is_run(source: Path) -> bool:
    """Whether a path is meant as a run folder, not as a SavedModel folder or a file."""
    return source.is_dir() and not (source / "saved_model.pb").exists()


def convert_run(run: RunFolder, output: Path | None = None, *, float_file: bool = True, **options: Any) -> "Conversion":
    """Converts a run's trained model, with everything known about it in the file's metadata."""
    if not run.model.is_file():
        raise UsageError(f"{run} holds no trained model", cure=f"mbnn train --resume --run {run} ends its training")
    conversion = _convert(
        run.model,
        output or run.tflite,
        run.float_tflite if float_file else None,
        lambda model: _metadata(run, model),
        options,
    )
    if output is None:
        conversion.operators.model_copy(update={"float_layers": conversion.float_layers}).save(run.operators)
    return conversion


def convert_model(source: Path, output: Path, *, float_file: bool, **options: Any) -> "Conversion":
    """Converts a model from elsewhere."""
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"{output} is the model itself", cure="Give another --output")
    float_output = output.with_name(f"{output.stem}_float.tflite") if float_file else None
    return _convert(source, output, float_output, None, options)


def _convert(
    path: Path, output: Path, float_output: Path | None, metadata: Any, options: dict[str, Any]
) -> "Conversion":
    with err.status(f"reading {path}"):
        from mobile_bnn.converters.conversion import convert, convert_float
        from mobile_bnn.converters.source import Source

        source = Source.load(path)
    with err.status(f"converting {path}"):
        conversion = convert(source, output, metadata=metadata(source.keras) if metadata else None, **options)
        if float_output and source.keras is not None:
            convert_float(source.keras, float_output)
    return conversion


def _metadata(run: RunFolder, model: Any) -> "ModelMetadata":
    from mobile_bnn.runtime import ModelMetadata, Normalization
    from mobile_bnn.training import Recipe

    recipe, info = Recipe.read(run.recipe), DatasetRecord.load(run.dataset)
    return ModelMetadata(
        zoo_model=recipe.zoo,
        method=recipe.method,
        dataset=recipe.dataset,
        labels=info.labels,
        input_shape=model.input_shape[1:],
        normalization=Normalization(mean=info.mean, std=info.std),
        binary_macs=0,
        float_macs=0,
    )


def show(conversion: "Conversion") -> None:
    """Prints what became binary, what did not, and why."""
    operators = conversion.operators
    binary, total = operators.total("binary_macs"), operators.total("binary_macs") + operators.total("float_macs")
    out.print(f"{conversion.path}  {operators.file_bytes:,} bytes", soft_wrap=True)
    out.print(f"binary layers: {len(conversion.layers)}, {binary / max(total, 1):.1%} of the multiply-accumulates")
    for name, why in conversion.float_layers.items():
        out.print(f"[yellow]stays float:[/] {name}: {why}", soft_wrap=True)
