"""`mbnn report`: everything a run measured, or several models beside each other, here and as one HTML page."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mobile_bnn.cli.console import Json, out, print_json
from mobile_bnn.errors import MobileBnnError

EXAMPLE = "Example: mbnn report runs/demo --output demo.html    or    mbnn report runs/a runs/b mobilenet.tflite"

_SEVERAL = Path("comparison.html")


def command(
    sources: Annotated[
        list[Path], typer.Argument(help="A run folder, or a .tflite with what lies beside it; several are compared.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            help="The HTML page; report.html in a run, MODEL_report.html beside a .tflite, comparison.html of several."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write one self-contained HTML page that opens without a network, and print the same numbers."""
    from mobile_bnn import pipeline

    found: Any
    if len(sources) == 1:
        found = pipeline.report(sources[0])
        page = output or found.records.run.report
    else:
        found, page = pipeline.report_all(sources), output or _SEVERAL
    if as_json:
        print_json({"report": str(page), **found.as_json()})
    else:
        out.print(found)
    try:
        found.write(page)
    except OSError as error:
        raise MobileBnnError(
            f"the page {page} cannot be written", why=error.strerror or str(error), cure="--output names another place"
        ) from error
    if not as_json:
        out.print(f"report {page}", soft_wrap=True)
