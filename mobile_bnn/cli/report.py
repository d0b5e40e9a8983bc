"""`mbnn report`: everything a run measured, in the terminal and as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import Json, out, print_json, run_folder

EXAMPLE = "Example: mbnn report runs/demo --output demo.html"


def command(
    source: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")],
    output: Annotated[
        Path | None, typer.Option(help="The HTML page; report.html in the run folder by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write one self-contained HTML page that opens without a network, and print the same numbers."""
    from mobile_bnn import report

    run = run_folder(source)
    path = report.write_html(run, output)
    if as_json:
        print_json({"report": str(path)})
    else:
        out.print(report.everything(run))
        out.print(f"report {path}", soft_wrap=True)
