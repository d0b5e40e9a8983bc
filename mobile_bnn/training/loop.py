"""The training loop: from a recipe to a trained Keras model in a run folder."""

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from rich.console import Console

from mobile_bnn import data
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.native_output import filtered_stderr
from mobile_bnn.records import History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import distribution
from mobile_bnn.training.initial_weights import located
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.training.resources import resource_errors
from mobile_bnn.training.sections import Cosine, Exponential, Linear, RunTeacher
from mobile_bnn.training.session import Session
from mobile_bnn.typing import KerasModel
from mobile_bnn.wording import plural

_WAYS: dict[type, str] = {Cosine: "along a cosine", Linear: "along a line", Exponential: "by a factor"}


def load_data(recipe: Recipe, data_dir: Path | str | None = None) -> data.Dataset:
    """The recipe's data set."""
    chosen = recipe.data
    return data.load(
        chosen.name,
        data_dir=data_dir,
        batch_size=chosen.batch_size,
        seed=recipe.runtime.seed,
        validation_fraction=chosen.validation_fraction,
        image_size=chosen.image_size,
        augment=chosen.augment,
        changes=recipe.task.training().augment,
    )


def _located(recipe: Recipe, run: RunFolder) -> Recipe:
    """The recipe as a run keeps it: with absolute paths to its image folder, its teacher and its first weights."""
    chosen = recipe.data.model_copy(update={"name": data.absolute(recipe.data.name, near=run.path)})
    teacher = recipe.teacher
    if isinstance(teacher, RunTeacher):
        teacher = teacher.model_copy(update={"run": str(Path(teacher.run).expanduser().absolute())})
    weights = recipe.weights and located(recipe.weights, recipe.zoo)
    return recipe.model_copy(update={"data": chosen, "teacher": teacher, "weights": weights})


def _check_folder(run: RunFolder, recipe: Recipe, *, resume: bool, fresh: bool) -> None:
    """Refuses to mix two trainings in one folder, and a folder that cannot be written to."""
    if not os.access(run.path, os.W_OK):
        raise MobileBnnError(f"{run} cannot be written to", cure="Name another folder: --run FOLDER")
    if fresh or not run.recipe.exists():
        return
    if not resume:
        raise UsageError(
            f"{run} already holds a training",
            cure="--resume goes on with it, --fresh starts anew, --run names another "
            "(in Python resume=True, fresh=True)",
        )
    before = _located(Recipe.read(run.recipe), run)
    # Going on for longer is the one change that a training can take.
    if differences := before.differences(recipe.model_copy(update={"epochs": before.epochs})):
        raise UsageError(
            f"cannot resume {run} with another recipe",
            why="; ".join(differences),
            cure="--fresh starts anew, in Python fresh=True",
        )


def _say_what_more_epochs_cost(before: Recipe, recipe: Recipe, trained: int, console: Console) -> None:
    """A resumed training is exact, but a learning rate that depends on the number of epochs is another one now."""
    if before.epochs == recipe.epochs:
        return
    if trained > recipe.epochs:
        raise UsageError(
            f"{plural(trained, 'epoch')} are trained already, more than {recipe.epochs}",
            cure=f"Resume with --epochs {trained} or more, or start anew with --fresh",
        )
    text = f"epochs: {before.epochs} before, {recipe.epochs} now."
    if (way := _WAYS.get(type(recipe.schedule))) and trained:
        text += (
            f" The learning rate of {plural(trained, 'epoch')} fell {way} over {before.epochs}, from here on it "
            f"follows the one over {recipe.epochs}: the weights will not be those of an unbroken training"
        )
    elif recipe.method.follows_progress() and trained:
        text += (
            f" {recipe.method.card.title} follows the training's progress, which is that of {recipe.epochs} epochs "
            "from here on: the weights will not be those of an unbroken training"
        )
    console.print(text, soft_wrap=True, highlight=False)


def train(
    recipe: Recipe,
    run: RunFolder | Path | str,
    *,
    data_dir: Path | str | None = None,
    resume: bool = False,
    fresh: bool = False,
    console: Console | None = None,
) -> tuple[KerasModel, History]:
    """Trains the recipe's model into the run folder.

    Equal recipes give equal weights: TensorFlow is put into its deterministic mode for the whole process. A training
    that was killed at any moment goes on, with `resume`, after its last whole epoch, to the same weights.

    Args:
        recipe: what to train.
        run: the folder where recipe, checkpoints, history, TensorBoard logs and the model are written.
        data_dir: a folder with local copies of data sets, see `mobile_bnn.data.load`.
        resume: go on with the training in `run`, or begin if there is none. The recipe may ask for more epochs.
        fresh: discard the training that `run` holds, and what was made of it.
        console: where progress is shown; nowhere by default.

    Returns:
        The trained Keras model, and its history with the test split's loss and metrics.

    Raises:
        UsageError: the folder holds a training already, or another recipe's; or the recipe does not fit the data.
        MobileBnnError: another process is writing to the folder, or the data cannot be loaded.
    """
    run = run if isinstance(run, RunFolder) else RunFolder(run)
    recipe = _located(recipe, run)
    console = console or Console(quiet=True)
    tf.config.experimental.enable_op_determinism()
    strategy = distribution.make(recipe.runtime.strategy)
    chief = distribution.is_chief(strategy)
    with ExitStack() as held:

        def claim() -> None:
            held.enter_context(run.writing())
            _check_folder(run, recipe, resume=resume, fresh=fresh)

        exists = run.path.is_dir()
        if chief and exists:
            claim()
        dataset = load_data(recipe, data_dir)
        session = Session(recipe, run, dataset, strategy, console if chief else Console(quiet=True), chief)
        with resource_errors(run.path), strategy.scope():
            session.build(fresh=fresh)
        if chief and not exists:  # made only now: a mistake in the recipe leaves no folder
            claim()
        if chief and fresh:
            run.clear()  # with the later stages' results, which would be another model's
        before = Recipe.read(run.recipe) if chief and run.recipe.exists() else recipe
        session.restore()
        _say_what_more_epochs_cost(before, recipe, session.trained_epochs, console)
        with resource_errors(run.path), dataset.reading(), filtered_stderr():
            return session.train(partial(train, data_dir=data_dir, resume=True, console=console))
