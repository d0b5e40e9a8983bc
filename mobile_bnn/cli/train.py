"""`mbnn train`: trains a zoo model with a method on a data set."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobile_bnn.cli.assignments import assigned
from mobile_bnn.cli.console import DataDir, Json, err, out, print_json, shell_quoted
from mobile_bnn.cli.imports import Imports, run_imports
from mobile_bnn.errors import UsageError
from mobile_bnn.records import History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.typing import JsonObject
from mobile_bnn.wording import plural

if TYPE_CHECKING:
    from mobile_bnn.training import Recipe

EXAMPLE = "Example: mbnn train --zoo resnet20 --method bi_real --dataset fashion_mnist --epochs 2 --data-dir ~/data"


def command(
    zoo: Annotated[str | None, typer.Option(help="Architecture; see mbnn zoo list.")] = None,
    task: Annotated[
        str | None, typer.Option(help="classification, detection or segmentation; classification by default.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="Binarization method; see mbnn methods list.")] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="digits, mnist, fashion_mnist, cifar10, image_folder:PATH, a TFDS name; with boxes or masks: "
            "synthetic_scenes, voc_folder:PATH, coco_folder:PATH."
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="What to begin with instead of random weights: a tag of mbnn zoo list --weights, a run folder or a "
            ".keras file. Another number of classes is fine."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per step, over all replicas together.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the optimizer, after the warm-up.")] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(help="adam, adamax, rmsprop, sgd, or bop: for binary weights, and adam for the rest."),
    ] = None,
    schedule: Annotated[str | None, typer.Option(help="cosine, linear, exponential, step or constant.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, data order and augmentation.")] = None,
    strategy: Annotated[str | None, typer.Option(help="none, mirrored or multi_worker (tf.distribute).")] = None,
    jit: Annotated[bool | None, typer.Option("--jit", help="Compile the training step by XLA.")] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe file (TOML) to begin from instead of the zoo's own.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Any other field of the recipe, such as method.clip=1.25; repeatable. Without a value the field gets "
            "its default.",
        ),
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/ZOO-METHOD-DATASET by default.")] = None,
    imports: Imports = None,
    data_dir: DataDir = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last whole epoch.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Discard the training that the run folder holds, and what was made of it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a binary network.

    Options override the fields of the recipe, which is the zoo model's own unless --recipe names one.
    """
    options = {
        "zoo": zoo,
        "task": task,
        "method": method,
        "dataset": dataset,
        "weights": weights,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "optimizer": optimizer,
        "schedule": schedule,
        "seed": seed,
        "strategy": strategy,
        "jit": jit,
    }
    run_imports(imports)
    if resume and fresh:
        raise UsageError("--resume goes on, --fresh starts anew", cure="Give one of them")
    overrides = {name: value for name, value in options.items() if value is not None} | assigned(set_ or [])
    chosen = _recipe(recipe, RunFolder(run) if run and resume else None, overrides)
    folder = RunFolder(run or default_folder(chosen))
    history = train(chosen, folder, data_dir, resume=resume, fresh=fresh)
    if as_json:
        print_json({"run": str(folder), "epochs": len(history.epochs), "test": history.test})
    else:
        show(folder, history)


def train(
    recipe: "Recipe", run: RunFolder, data_dir: Path | None, *, resume: bool = False, fresh: bool = False
) -> History:
    """Trains, with progress on standard error."""
    with err.status("loading TensorFlow"):
        from mobile_bnn.training.loop import train as train_model
    _, history = train_model(recipe, run, data_dir=data_dir, resume=resume, fresh=fresh, console=err)
    return history


def show(run: RunFolder, history: History) -> None:
    """Prints what the training reached and what comes next."""
    value = (history.test or {})[history.metric]
    out.print(f"test {history.metric} {value:.2%} (Keras) after {plural(len(history.epochs), 'epoch')}")
    out.print(f"model {run.model}\nnext: mbnn convert {shell_quoted(run)}", soft_wrap=True)


def default_folder(recipe: "Recipe") -> Path:
    """runs/ZOO-METHOD-DATASET, with the task where it is another, and what a folder's name should not hold replaced."""
    dataset = recipe.data.name
    dataset = Path(dataset).name if ":" in dataset else dataset
    name = f"{recipe.zoo}-{recipe.method.card.name}-{dataset}"
    if recipe.task.name != "classification":  # one data set may be for several tasks
        name += f"-{recipe.task.name}"
    return Path("runs") / re.sub(r"[^\w.-]+", "-", name)


def _recipe(path: Path | None, resumed: RunFolder | None, overrides: JsonObject) -> "Recipe":
    from mobile_bnn.training import Recipe
    from mobile_bnn.training.initial_weights import choices_of

    if resumed and resumed.recipe.is_file() and path is None:
        return Recipe.read(resumed.recipe, **overrides)
    if path:
        return Recipe.read(path, **overrides)
    if not overrides.get("zoo") and overrides.get("weights"):
        overrides = {**choices_of(overrides["weights"], None), **overrides}
    if not overrides.get("zoo"):
        if resumed:
            raise UsageError(
                f"{resumed} holds no training to resume", cure="Name an architecture (--zoo) to begin one there"
            )
        raise UsageError("nothing to train was named", cure="Name an architecture (--zoo) or a recipe (--recipe)")
    return Recipe.of_zoo(**{"name": overrides["zoo"], **overrides})
