"""`mbnn deploy`: lay mobile_bnn on a board or a phone, so that `mbnn profile` can measure there."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from mobile_bnn.cli.console import Json, err, out, print_json

EXAMPLE = "Example: mbnn deploy ssh://pi@raspberrypi"


def command(
    target: Annotated[str, typer.Argument(help="The device: ssh://user@host:port or adb://SERIAL.")],
    wheel: Annotated[Path | None, typer.Option(help="Our package for a board; the newest in dist/ by default.")] = None,
    tflite: Annotated[
        Path | None, typer.Option(help="An .aar or .so with TensorFlow Lite for a phone; from Maven by default.")
    ] = None,
    take_away: Annotated[bool, typer.Option("--remove", help="Take all that was laid there away again.")] = False,
    as_json: Json = False,
) -> None:
    """Lay mobile_bnn on a device. It needs Python 3, or is a phone; it needs no network."""
    from mobile_bnn.profiling import deploy

    if take_away:
        with err.status(f"removing what is on {target}"):
            count = deploy.remove(target)
        if as_json:
            print_json({"target": target, "name": None, "already_there": None, "about": {}, "removed": count})
        else:
            out.print(f"removed from {target}" if count else f"nothing was on {target}", soft_wrap=True)
        return
    with _Shown() as shown:
        done = deploy.deploy(target, wheel=wheel, tflite=tflite, say=shown.say, watch=shown.watch)
    if as_json:
        about = {"name": done.name, "already_there": done.already_there, "about": done.about}
        print_json({"target": target, **about, "removed": None})
        return
    versions = ", ".join(f"{name} {value}" for name, value in done.about.items())
    told = "is already there" if done.already_there else f"is there now: {versions}"
    out.print(f"{done.name} on {target} {told}", soft_wrap=True)
    out.print(f"next: mbnn profile MODEL.tflite --target {target}", soft_wrap=True)


class _Shown:
    """Shows on standard error what is being done, and how far a file has gone; only in terminals."""

    def __enter__(self) -> "_Shown":
        columns = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn()
        self._bar = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
        self._task = self._bar.add_task("", total=None)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, what: str) -> None:
        """Another step begins."""
        self._bar.update(self._task, description=what, completed=0, total=None)

    def watch(self, name: str, sent: int, size: int) -> None:
        """So many bytes of a file have gone."""
        self._bar.update(self._task, description=f"sending {name}", completed=sent, total=size)
