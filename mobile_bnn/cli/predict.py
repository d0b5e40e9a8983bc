"""`mbnn predict`: what a file sees on images, or through a camera."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.console import Json, err, labelled, out, print_json
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.errors import MobileBnnError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobile_bnn.pipeline.live import Look
    from mobile_bnn.runtime import Interpreter
    from mobile_bnn.runtime.cameras import Camera

EXAMPLE = (
    "Example: mbnn predict model.tflite cat.jpg photos/ --draw seen    or    "
    "mbnn predict runs/demo --camera auto    or    mbnn predict model.tflite --camera auto --web 8000"
)

_LOOPBACK = "127.0.0.1"


def command(
    file: Annotated[Path, typer.Argument(help="A .tflite that mbnn converted, or a run folder.")],
    images: Annotated[
        list[Path] | None, typer.Argument(help="Images, and folders whose images are taken with those of theirs.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many classes a classifier names.")] = 5,
    score: Annotated[
        float, typer.Option(min=0, max=1, help="Least probability of an object that a detector finds.")
    ] = 0.5,
    draw: Annotated[
        Path | None, typer.Option(help="Write pictures with classes, boxes or areas drawn on them into this folder.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of the runtime.")] = 1,
    csv: Annotated[Path | None, typer.Option(help="Write a line for each image and class, object or area.")] = None,
    camera: Annotated[
        str, typer.Option(help="Look live: auto, /dev/video0 or its number, or a folder of images as frames.")
    ] = "",
    web: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Show the camera as a page on this port; 0 takes a free one.")
    ] = None,
    host: Annotated[str, typer.Option(help="The page's address; another than this machine's lets others look.")] = (
        _LOOPBACK
    ),
    as_json: Json = False,
) -> None:
    """Name what is on images, and where, with probabilities and latency. Exit code 1 if an image cannot be read."""
    from mobile_bnn import pipeline
    from mobile_bnn.report.formats import printable

    if camera:
        if images or as_json or csv or draw:
            raise UsageError("--camera shows what it sees, live", cure="Leave images, --csv, --draw and --json out")
        _watch(file, camera, top, threads, web, host)
        return
    if web is not None:
        raise UsageError("--web shows a camera", cure="Give --camera auto too")
    predicted = pipeline.predict(
        file, images or [], top=top, score=score, threads=threads, draw=draw, watcher=Terminal()
    )
    if csv:
        from mobile_bnn.files import write_bytes

        write_bytes(csv, predicted.csv().encode("utf-8", "surrogateescape"))  # a name need not be text
    if as_json:
        print_json(predicted.as_json())
    elif predicted.predictions:
        out.print(predicted)
        for each in predicted.predictions:
            if each.drawn:
                out.print(printable(f"drawn: {each.drawn}", 4096), soft_wrap=True, markup=False, highlight=False)
    for line in predicted.unreadable:
        err.print(labelled("left out:", "yellow", line.replace("\n", "\\n")), soft_wrap=True)
    if predicted.unreadable:
        raise typer.Exit(MobileBnnError.exit_code)


def _watch(file: Path, which: str, top: int, threads: int, web: int | None, host: str) -> None:
    from mobile_bnn.pipeline.prediction import opened
    from mobile_bnn.runtime.cameras import open_camera

    with ExitStack() as held:
        interpreter = held.enter_context(opened(file, threads))
        spec = interpreter.metadata and interpreter.metadata.task
        if spec and spec.name != "classification":
            raise UsageError(
                f"--camera shows classes, and the file is for {spec.name}", cure="Give images, with --draw FOLDER"
            )
        camera = held.enter_context(closing(open_camera(which)))
        try:
            if web is None:
                _in_terminal(interpreter, camera, top)
            else:
                _as_page(interpreter, camera, top, host, web)
        except KeyboardInterrupt:  # which is how one ends looking
            return


def _in_terminal(interpreter: "Interpreter", camera: "Camera", top: int) -> None:
    from rich.live import Live

    from mobile_bnn.pipeline.live import looks

    with Live(console=out, transient=True, refresh_per_second=10) as shown:
        for look in looks(interpreter, camera, top):
            shown.update(_shown(look))


def _as_page(interpreter: "Interpreter", camera: "Camera", top: int, host: str, port: int) -> None:
    from mobile_bnn.pipeline.live import LivePage

    with LivePage(interpreter, camera, top=top, host=host, port=port) as page:
        if host != _LOOPBACK:
            err.print(labelled("open to others:", "yellow", f"whoever reaches {host} sees what the camera sees"))
        out.print(f"{page.url} shows {camera.name}; Ctrl-C ends it", soft_wrap=True)
        out.file.flush()
        page.run()


def _shown(look: "Look") -> "RenderableType":
    from mobile_bnn.report.formats import percent, printable
    from mobile_bnn.report.layout import Column, Fitted, Table

    speed = f"{look.latency_ms:.2f} ms, {look.frames_per_second:.1f} frames a second; Ctrl-C ends it"
    columns = [Column("class"), Column("probability", number=True), Column("")]
    rows = [[printable(each.label), percent(each.score, 1), "█" * round(20 * each.score)] for each in look.classes]
    return Fitted(Table(speed, columns, rows))
