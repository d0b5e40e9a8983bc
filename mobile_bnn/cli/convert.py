"""`mbnn convert`: a run or a Keras model to a binary .tflite."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobile_bnn.cli.console import DataDir, Json, err, keras_model, labelled, out, print_json
from mobile_bnn.cli.imports import Imports, import_paths
from mobile_bnn.cli.locate import run_of_model
from mobile_bnn.cli.samples import Samples, of_file, of_run
from mobile_bnn.errors import UsageError
from mobile_bnn.records import DatasetRecord
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.wording import plural

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


class FloatWeights(str, Enum):
    """How the weights of layers that stay float are stored."""

    float32 = "float32"
    float16 = "float16"
    int8 = "int8"


class ValueType(str, Enum):
    """Of inputs and outputs."""

    float32 = "float32"
    int8 = "int8"


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
    float_weights: Annotated[
        FloatWeights, typer.Option(help="How the weights of layers that stay float are stored.")
    ] = FloatWeights.float32,
    int8: Annotated[
        bool, typer.Option("--int8", help="Let layers that stay float compute in int8, calibrated on samples.")
    ] = False,
    samples: Annotated[
        Path | None,
        typer.Option(help="Inputs to compare on, and for --int8: .npy, float32 [N, ...]; a run has its own images."),
    ] = None,
    input_type: Annotated[ValueType, typer.Option(help="Of the file's inputs, with --int8.")] = ValueType.float32,
    output_type: Annotated[ValueType, typer.Option(help="Of the file's outputs, with --int8.")] = ValueType.float32,
    imports: Imports = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Convert to a binary .tflite.

    The file is compared with the float one and with Keras, layer by layer, first: one that computes something else is
    not written.
    """
    options: dict[str, Any] = {"allow_float": allow_float or (), "via": via.value, "float_weights": float_weights.value}
    if int8:
        options["int8"] = {"input_type": input_type.value, "output_type": output_type.value}
    elif input_type is ValueType.int8 or output_type is ValueType.int8:
        raise UsageError("--input-type and --output-type are for --int8")
    if int8 and float_weights is not FloatWeights.float32:
        raise UsageError("--int8 stores weights in int8", cure="Leave --float-weights out")
    if output and output.suffix != ".tflite":
        raise UsageError(f"{output} does not end in .tflite")
    own_layers = import_paths(imports)
    given = of_file(samples) if samples else None
    if run := run_of_model(source):
        with run.writing() if output is None else writing_to(output):
            conversion = convert_run(
                run, output, float_file=float_file, samples=given, imports=own_layers, data_dir=data_dir, **options
            )
    else:
        if int8 and given is None:
            raise UsageError("--int8 needs inputs to calibrate on", cure="Give --samples, a .npy of float32 [N, ...]")
        output = output or _output_of(source)
        with writing_to(output):
            conversion = convert_model(
                source, output, float_file=float_file, samples=given or Samples(), imports=own_layers, **options
            )
    if as_json:
        print_json(
            {
                "file": str(conversion.path),
                "bytes": conversion.operators.file_bytes,
                "binary_layers": [layer.layer for layer in conversion.layers],
                "float_layers": conversion.float_layers,
                "agreement": vars(conversion.agreement) if conversion.agreement else None,
                "binary_macs": conversion.operators.total("binary_macs"),
                "float_macs": conversion.operators.total("float_macs"),
            }
        )
    else:
        show(conversion)


def _output_of(source: Path) -> Path:
    if source.name in ("", ".."):  # the current folder, or the one above, is a SavedModel
        source = source.resolve()
    return source.with_name(f"{source.stem}_binary.tflite" if source.suffix == ".tflite" else f"{source.stem}.tflite")


def writing_to(output: Path) -> AbstractContextManager[None]:
    """Keeps others from writing to the run folder that a file is to lie in, if it is one."""
    run = RunFolder(output.parent)
    return run.writing() if run.recipe.is_file() else nullcontext()


def convert_run(
    run: RunFolder,
    output: Path | None = None,
    *,
    float_file: bool = True,
    samples: Samples | None = None,
    imports: Sequence[Path] = (),
    data_dir: Path | None = None,
    **options: Any,
) -> "Conversion":
    """Converts a run's trained model, with everything known about it in the file's metadata.

    It is compared on the run's own test images if they are there and no samples are given.
    """
    conversion = _convert(
        keras_model(run),
        output or run.tflite,
        run.float_tflite if float_file else None,
        lambda model: _metadata(run, model),
        samples or of_run(run, data_dir, needed="int8" in options),
        imports,
        options,
    )
    if output is None:
        conversion.operators.model_copy(update={"float_layers": conversion.float_layers}).save(run.operators)
    return conversion


def convert_model(
    source: Path, output: Path, *, float_file: bool, samples: Samples, imports: Sequence[Path] = (), **options: Any
) -> "Conversion":
    """Converts a model from elsewhere."""
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"{output} is the model itself", cure="Give another --output")
    float_output = output.with_name(f"{output.stem}_float.tflite") if float_file else None
    return _convert(source, output, float_output, None, samples, imports, options)


def _convert(
    path: Path,
    output: Path,
    float_output: Path | None,
    metadata: Callable[[Any], "ModelMetadata"] | None,
    samples: Samples,
    imports: Sequence[Path],
    options: dict[str, Any],
) -> "Conversion":
    with err.status(f"reading {path}"):
        from mobile_bnn.converters.conversion import Int8, convert
        from mobile_bnn.converters.source import Source

        source = Source.load(path, imports=imports)
    if "int8" in options:
        options = {**options, "int8": Int8(samples=samples.calibration or [], **options["int8"])}
    record = metadata(source.keras) if metadata else None
    twin = float_output if source.keras is not None else None
    with err.status(f"converting {path}"):
        return convert(source, output, metadata=record, samples=samples.compared, float_path=twin, **options)


def _metadata(run: RunFolder, model: Any) -> "ModelMetadata":
    from mobile_bnn.runtime import ModelMetadata, Normalization, TaskSpec
    from mobile_bnn.training import Recipe

    recipe, info = Recipe.read(run.recipe), DatasetRecord.load(run.dataset)
    return ModelMetadata(
        zoo_model=recipe.zoo,
        task=TaskSpec(name=recipe.task.name, options=recipe.task.decoding()),
        method=recipe.method.card.name,
        dataset=recipe.data.name,
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
    if agreement := conversion.agreement:
        same = "" if agreement.top1 is None else f"the same top-1 class on {agreement.top1:.1%} of "
        samples = plural(agreement.samples, "sample")
        out.print(
            f"float parts in fewer bits: {same}{samples}, outputs differ by {agreement.difference:.2g} on average"
        )
    for name, why in conversion.float_layers.items():
        out.print(labelled("stays float:", "yellow", f"{name}: {why}"), soft_wrap=True)
