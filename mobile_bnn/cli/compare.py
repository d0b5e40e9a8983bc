"""`mbnn compare`: what has changed between profiles, and whether that is more than chance."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli.console import Json, err, labelled, out, print_json
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.errors import MobileBnnError, UsageError

EXAMPLE = (
    "Example: mbnn compare old.json new.json    or    mbnn compare runs/a runs/b --max-slower 5%    or    "
    "mbnn compare --history profiles --output trend.html"
)


def command(
    profiles: Annotated[
        list[Path] | None,
        typer.Argument(help="Profiles (JSON), run folders, or .tflite files with their profiles; the first is before."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="Whose profile of runs: local, ssh://user@host, adb://SERIAL; by default this machine's."),
    ] = None,
    max_slower: Annotated[
        str | None,
        typer.Option(metavar="PERCENT", help="Exit with 1 if a median is slower by more than this, beyond chance."),
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="A folder of mbnn profile --history: show the trend instead.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="With --history: write the trend as one HTML page too.")] = None,
    as_json: Json = False,
) -> None:
    """Show the change of each figure with its 95 % interval, and what makes profiles incomparable."""
    if history is not None:
        if profiles or max_slower:
            raise UsageError("--history shows the trend of a folder", cure="Leave profiles and --max-slower out")
        _trend(history, target, output, as_json)
        return
    if output is not None:
        raise UsageError("--output writes the page of a trend", cure="Give --history FOLDER")
    if len(profiles or ()) < 2:
        raise UsageError("two profiles are compared", cure="Name two or more, or a folder with --history")
    _compare(profiles or [], target, max_slower, as_json)


def _compare(paths: list[Path], target: str | None, max_slower: str | None, as_json: bool) -> None:
    from mobile_bnn import pipeline

    share = None if max_slower is None else share_of(max_slower)
    compared = pipeline.compare(*paths, target=target)
    slower = [] if share is None else compared.slower_than(share)
    print_json(compared.as_json()) if as_json else out.print(compared)
    if slower:
        for line in slower:
            err.print(labelled("limit:", "bold red", line), soft_wrap=True)
        raise typer.Exit(MobileBnnError.exit_code)


def _trend(folder: Path, target: str | None, output: Path | None, as_json: bool) -> None:
    from mobile_bnn import pipeline

    found = pipeline.trend(folder, target=target, watcher=Terminal())
    print_json(found.as_json()) if as_json else out.print(found)
    if output:
        found.write(output)
        if not as_json:
            out.print(f"trend {output}", soft_wrap=True)


def share_of(text: str) -> float:
    """The share that an option such as --max-slower 5% or 5 means: 0.05.

    Raises:
        UsageError: the text is not a number of per cent.
    """
    try:
        return float(text.strip().removesuffix("%")) / 100
    except ValueError as error:
        raise UsageError(f"--max-slower {text!r} is not a number of per cent", cure="For example: 5%") from error
