"""`mbnn export-weights`: the bit-packed filters, multipliers, biases and thresholds of a file as .npz."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import Json, out, print_json
from mobile_bnn.errors import UsageError
from mobile_bnn.pipeline.locate import binary_file, is_run, run_folder
from mobile_bnn.run_folder import ModelFile, RunFolder
from mobile_bnn.wording import plural

EXAMPLE = "Example: mbnn export-weights runs/demo    or    mbnn export-weights model.tflite --output weights.npz"


def command(
    source: Annotated[Path, typer.Argument(help="A binary .tflite, or a run folder.")],
    output: Annotated[
        Path | None,
        typer.Option(help="The .npz to write; MODEL_weights.npz beside MODEL.tflite, weights.npz in a run."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the binary weights of a file as .npz, with an index and checksums: docs/weights.md has the layout."""
    from mobile_bnn.converters.storage.weights_file import collect_weights, write_weights

    path = binary_file(run_folder(source)) if is_run(source) else source
    output = output or (RunFolder(source) if is_run(source) else ModelFile(source)).weights
    if output.suffix != ".npz":
        raise UsageError(f"{output} does not end in .npz")
    weights = collect_weights(path)
    write_weights(output, weights)
    if as_json:
        print_json({"output": str(output), **weights.index.model_dump(mode="json")})
    else:
        layers = len(weights.index.layers)
        out.print(f"{output}  {output.stat().st_size:,} bytes, {plural(layers, 'binary layer')}", soft_wrap=True)
