"""`mbnn demo`: the whole way, from real images to a report, in about a minute."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_bnn.cli import convert, profile, train, verify
from mobile_bnn.cli.console import DataDir, Json, out, print_json
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
    from mobile_bnn import report
    from mobile_bnn.training import Recipe

    folder = RunFolder(run)

    def step(number: int, title: str) -> None:
        if not as_json:
            out.print(f"\n{number}/5 {title}", style="bold")

    step(1, "train")
    recipe = Recipe.of_zoo("binary_lenet", dataset=dataset, epochs=epochs, **_FEW_IMAGES)
    history = train.train(recipe, folder, data_dir, fresh=True)
    step(2, "convert")
    with folder.writing():
        conversion = convert.convert_run(folder, data_dir=data_dir)
    if not as_json:
        convert.show(conversion)
    step(3, "verify against Keras")
    with folder.writing():
        verification = verify.verify_run(folder, data_dir)
        verification.save(folder.verification)
    if not as_json:
        out.print(report.verification_table(verification))
    step(4, "profile on this machine")
    with folder.writing():
        measured = profile.profile_run(folder, [1, 2])
        measured.save(folder.profile(measured.target))
    if not as_json:
        out.print(report.profile_table(measured))
    step(5, "report")
    page = report.write_html(folder)
    if as_json:
        print_json(
            {
                "run": str(folder),
                "test": history.test,
                "keras_top1": verification.result.keras,
                "tflite_top1": verification.result.tflite,
                "report": str(page),
            }
        )
    else:
        out.print(report.summary(folder))
        out.print(f"\nOpen {page.resolve().as_uri()}\nNext: mbnn train --help", soft_wrap=True)
