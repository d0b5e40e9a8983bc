"""`mbnn compare`: what has changed between profiles, and whether that is more than chance."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import Json, err, labelled, out, print_json
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.errors import MobileBnnError, UsageError

EXAMPLE = (
    "Examples: mbnn compare old.json new.json    or    mbnn compare runs/a runs/b --max-slower 5    or    "
    "mbnn compare --history profiles"
)


def command(
    before: Annotated[
        Path | None, typer.Argument(help="A profile (JSON), a run folder, or a .tflite with its profiles.")
    ] = None,
    after: Annotated[Path | None, typer.Argument(help="Another one.")] = None,
    target: Annotated[
        str, typer.Option(help="Which target's profile of runs: local, ssh://user@host, adb://SERIAL.")
    ] = "local",
    max_slower: Annotated[
        float | None, typer.Option(help="Exit with 1 if a median is significantly slower by more per cent than this.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="A folder of mbnn profile --history: show the trend instead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the change of every latency with its 95 % interval, and what makes two profiles incomparable."""
    from mobile_bnn import pipeline

    if history is not None:
        if before or after:
            raise UsageError("--history shows the trend of a folder", cure="Leave the profiles out")
        trends = pipeline.trend(history, target, watcher=Terminal())
        print_json(trends.as_json()) if as_json else out.print(trends)
        return
    if before is None or after is None:
        raise UsageError("two profiles are compared", cure="Name two, or a folder with --history")
    compared = pipeline.compare(before, after, target=target)
    print_json(compared.as_json()) if as_json else out.print(compared)
    if max_slower is not None and (slower := compared.slower_than(max_slower / 100)):
        for line in slower:
            err.print(labelled("limit:", "bold red", line), soft_wrap=True)
        raise typer.Exit(MobileBnnError.exit_code)
