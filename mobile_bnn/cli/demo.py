"""`mbnn demo`: the whole way, from real images to a report, in about a minute."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli import convert, train
from mobile_bnn.cli.console import DataDir, Json, out, print_json, tell_if_not_kept
from mobile_bnn.cli.progress import Terminal
from mobile_bnn.run_folder import RunFolder

EXAMPLE = (
    "Example: mbnn demo    or    mbnn demo --dataset fashion_mnist --data-dir ~/data --epochs 6 --run runs/fashion"
)

# For the 1,257 training digits: more and smaller steps than the zoo's recipe takes for 60,000 images.
_FEW_IMAGES = {"batch_size": 32, "learning_rate": 0.005, "label_smoothing": 0.1}


def command(
    dataset: Annotated[str, typer.Option(help="digits is embedded; other sets are loaded.")] = "digits",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images.")] = 60,
    run: Annotated[Path, typer.Option(help="Run folder; a demo in it is made anew.")] = Path("runs/demo"),
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train a small binary network on real images, convert it, verify it against Keras, profile it and report."""
    from mobile_bnn import pipeline, report
    from mobile_bnn.training import Recipe

    folder, watcher = RunFolder(run), Terminal()

    def step(number: int, title: str) -> None:
        if not as_json:
            out.print(f"\n{number}/5 {title}", style="bold")

    step(1, "train")
    recipe = Recipe.of_zoo("binary_lenet", dataset=dataset, epochs=epochs, **_FEW_IMAGES)
    history = train.train(recipe, folder, data_dir, fresh=True)
    step(2, "convert")
    converted = pipeline.convert(folder, data_dir=data_dir, watcher=watcher)
    if not as_json:
        convert.show(converted)
    step(3, "verify against Keras")
    verified = pipeline.verify(folder, data_dir=data_dir, watcher=watcher)
    if not as_json:
        out.print(verified)
    tell_if_not_kept(verified.kept)
    step(4, "profile on this machine")
    profiled = pipeline.profile(folder, watcher=watcher)
    if not as_json:
        out.print(profiled)
    tell_if_not_kept(profiled.kept)
    step(5, "report")
    page = report.write_html(folder)
    if as_json:
        print_json(
            {
                "run": str(folder),
                "test": history.test,
                "keras_top1": verified.record.result.keras,
                "tflite_top1": verified.record.result.tflite,
                "report": str(page),
            }
        )
    else:
        out.print(report.summary(folder))
        out.print(f"\nOpen {page.resolve().as_uri()}\nNext: mbnn train --help", soft_wrap=True)
