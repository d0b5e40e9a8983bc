"""`mbnn convert`: a run or a Keras model to a binary .tflite."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import DataDir, Json, labelled, out, print_json
from mobile_bnn.cli.imports import Imports, import_paths
from mobile_bnn.cli.progress import Terminal

if TYPE_CHECKING:
    from mobile_bnn.pipeline import Converted

EXAMPLE = "Example: mbnn convert runs/demo    or    mbnn convert my_model.keras --output my_model.tflite"

AllowFloat = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-float", help="A layer declared binary that may stay float; all for any, and for a model without one."
    ),
]

InputShapes = Annotated[
    list[str] | None,
    typer.Option(
        "--input-shape",
        metavar="[NAME=]HxWxC",
        help="Sizes of an input that the model leaves open, without the batch: 224x224x3; NAME= for one of several.",
    ),
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
    input_shape: InputShapes = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Convert to a binary .tflite.

    The file is compared with the float one and with Keras, layer by layer, first: one that computes something else is
    not written.
    """
    from mobile_bnn import pipeline

    options = pipeline.ConvertOptions(
        float_file=float_file,
        allow_float=allow_float or (),
        via=via.value,
        float_weights=float_weights.value,
        int8=int8,
        input_type=input_type.value,
        output_type=output_type.value,
    )
    converted = pipeline.convert(
        source,
        options,
        output=output,
        samples=samples,
        imports=import_paths(imports),
        input_shape=input_shape or (),
        data_dir=data_dir,
        watcher=Terminal(),
    )
    if as_json:
        conversion = converted.conversion
        print_json(
            {
                "file": str(converted.path),
                "bytes": conversion.operators.file_bytes,
                "binary_layers": [layer.layer for layer in conversion.layers],
                "float_layers": conversion.float_layers,
                "agreement": vars(conversion.agreement) if conversion.agreement else None,
                "binary_macs": conversion.operators.total("binary_macs"),
                "float_macs": conversion.operators.total("float_macs"),
            }
        )
    else:
        show(converted)


def show(converted: "Converted") -> None:
    """Prints what became binary, what did not, and why."""
    file, *what = converted.lines
    out.print(file, soft_wrap=True)  # a path stays whole
    for line in what:
        out.print(line)
    for name, why in converted.conversion.float_layers.items():
        out.print(labelled("stays float:", "yellow", f"{name}: {why}"), soft_wrap=True)
