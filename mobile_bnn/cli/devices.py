"""`mbnn devices`: where measurements can be made, and what each of these is."""

from typing import Annotated, Any

import typer

from mobile_bnn.cli.console import Json, err, labelled, out, print_error, print_json
from mobile_bnn.errors import MobileBnnError

EXAMPLE = "Example: mbnn devices    or    mbnn devices local ssh://pi@raspberrypi adb://"


def command(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="What to ask: local, ssh://user@host, adb://SERIAL; without any all known are listed."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the targets that are known here, or ask some what they are: cores, clocks, heat, system, engines."""
    if targets:
        _describe(list(dict.fromkeys(targets)), as_json)
    else:
        _list(as_json)


def _list(as_json: bool) -> None:
    from mobile_bnn.profiling.targets.discovery import find_targets

    found = find_targets()
    if as_json:
        known = [{"url": each.url, "state": each.state, "info": None, "error": None} for each in found.candidates]
        print_json({"targets": known, "notes": found.notes})
        return
    from mobile_bnn.report.layout import Fitted
    from mobile_bnn.report.targets import candidates

    out.print(Fitted(candidates(found.candidates)))
    for note in found.notes:
        err.print(labelled("note:", "yellow", note), soft_wrap=True)


def _describe(urls: list[str], as_json: bool) -> None:
    """Asks each; one that fails is a line, and does not keep the others from being asked."""
    from mobile_bnn.profiling.targets.discovery import describe
    from mobile_bnn.report.layout import Fitted
    from mobile_bnn.report.targets import target

    answers: list[dict[str, Any]] = []
    worst = 0
    for url in urls:
        try:
            with err.status(f"asking {url} what it is"):
                info = describe(url)
        except MobileBnnError as error:
            worst = max(worst, MobileBnnError.exit_code)
            answers.append({"url": url, "state": "failed", "info": None, "error": str(error)})
            print_error(f"{url}: {error}")
            continue
        answers.append({"url": url, "state": "ready", "info": info.model_dump(mode="json"), "error": None})
        if not as_json:
            out.print(Fitted(target(url, info)))
    if as_json:
        print_json({"targets": answers, "notes": []})
    if worst:
        raise typer.Exit(worst)
