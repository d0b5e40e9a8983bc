"""`mbnn export-profile`: profiles for spreadsheets and for trace viewers."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import Json, out, print_json

EXAMPLE = (
    "Example: mbnn export-profile runs/demo --csv latency.csv --operators-csv operators.csv --trace trace.json, "
    "then open trace.json in ui.perfetto.dev"
)


def command(
    profiles: Annotated[
        list[Path], typer.Argument(help="Profiles (JSON), run folders, or .tflite files with their profiles.")
    ],
    csv: Annotated[Path | None, typer.Option(help="Write a row for each measurement.")] = None,
    operators_csv: Annotated[Path | None, typer.Option(help="Write a row for each operator that was timed.")] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Write one inference, operator by operator, for Perfetto or chrome://tracing.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="Whose profile of runs: local, ssh://user@host, adb://SERIAL; by default this machine's."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write profiles for other programs: as CSV, and as a trace of one inference."""
    from mobile_bnn import pipeline

    written = pipeline.export_profile(*profiles, csv=csv, operators_csv=operators_csv, trace=trace, target=target)
    if as_json:
        print_json({"written": [str(path) for path in written]})
        return
    for path in written:
        out.print(str(path), soft_wrap=True)
