"""The training loop: from a recipe to a trained Keras model in a run folder."""

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from mobile_bnn import data, methods, zoo
from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.files import atomic_file, remove_leftovers
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.native_output import filtered_stderr
from mobile_bnn.records import DatasetRecord, History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import distribution, optimizers
from mobile_bnn.training.callbacks import ProgressBar, Recorder, write_history
from mobile_bnn.training.checkpoints import Checkpoints
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.training.resources import resource_errors
from mobile_bnn.wording import plural


def build_model(recipe: Recipe, info: data.DatasetInfo) -> Any:
    """The recipe's zoo model, for the data set's image shape and classes, not compiled."""
    method = methods.get(recipe.method)
    if recipe.weight_clip is not None:
        method = replace(method, clip=recipe.weight_clip)
    if recipe.optimizer == "bop":
        method = method.latent_free()
    return zoo.build(recipe.zoo, method, info.input_shape, info.num_classes)


def load_data(recipe: Recipe, data_dir: Path | str | None = None) -> data.Dataset:
    """The recipe's data set."""
    return data.load(
        recipe.dataset,
        data_dir=data_dir,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        validation_fraction=recipe.validation_fraction,
        image_size=recipe.image_size,
        augment=recipe.augment,
    )


def _located(recipe: Recipe, run: RunFolder) -> Recipe:
    """The recipe with an absolute path to its image folder, which is what a run keeps."""
    return recipe.model_copy(update={"dataset": data.absolute(recipe.dataset, near=run.path)})


def _compiled(recipe: Recipe, dataset: data.Dataset) -> Any:
    # Larq's metric creates its variables within the step, which replicas of a strategy cannot do.
    flip_ratio = recipe.flip_ratio and recipe.strategy == "none"
    with larq.context.metrics_scope(["flip_ratio"] if flip_ratio else []):
        model = build_model(recipe, dataset.info)
    model.compile(
        optimizer=optimizers.make(recipe, dataset.steps_per_epoch),
        loss=tf.keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=[tf.keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    return model


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
    if recipe.schedule == "cosine" and trained:
        text += (
            f" The learning rate of {plural(trained, 'epoch')} fell along a cosine over {before.epochs}, from here on "
            f"it follows the one over {recipe.epochs}: the weights will not be those of an unbroken training"
        )
    console.print(text, soft_wrap=True, highlight=False)


def _save_model(recipe: Recipe, info: data.DatasetInfo, weights: list[Any], path: Path) -> Any:
    """Saves the trained weights in a model without training-time metrics, and returns that model."""
    model = build_model(recipe, info)
    model.set_weights(weights)
    with atomic_file(path) as part:
        model.save(part, save_format="keras")
    return model


def train(
    recipe: Recipe,
    run: RunFolder | Path | str,
    *,
    data_dir: Path | str | None = None,
    resume: bool = False,
    fresh: bool = False,
    console: Console | None = None,
) -> tuple[Any, History]:
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
        The trained Keras model, and its history with the test split's loss and accuracy.

    Raises:
        UsageError: the folder holds a training already, or another recipe's; or the recipe does not fit the data.
        MobileBnnError: another process is writing to the folder, or the data cannot be loaded.
    """
    run = run if isinstance(run, RunFolder) else RunFolder(run)
    recipe = _located(recipe, run)
    console = console or Console(quiet=True)
    tf.keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    strategy = distribution.make(recipe.strategy)
    chief = distribution.is_chief(strategy)
    with ExitStack() as held:

        def claim() -> None:
            held.enter_context(run.writing())
            _check_folder(run, recipe, resume=resume, fresh=fresh)

        exists = run.path.is_dir()
        if chief and exists:
            claim()
        dataset = load_data(recipe, data_dir)
        with resource_errors(run.path), strategy.scope():
            model = _compiled(recipe, dataset)
        if chief and not exists:  # made only now: a mistake in the recipe leaves no folder
            claim()
        if chief and fresh:
            run.clear()  # with the later stages' results, which would be another model's
        with resource_errors(run.path), dataset.reading(), filtered_stderr():
            return _train(recipe, run, dataset, model, console if chief else Console(quiet=True), chief)


def _train(
    recipe: Recipe, run: RunFolder, dataset: data.Dataset, model: Any, console: Console, chief: bool
) -> tuple[Any, History]:
    """Trains a compiled model, from the last checkpoint in the run folder if there is one."""
    checkpoints = Checkpoints(run.checkpoints, model, chief=chief)
    history = checkpoints.restore()
    if chief:
        remove_leftovers(run.checkpoints)
        if run.recipe.exists():
            _say_what_more_epochs_cost(Recipe.read(run.recipe), recipe, len(history.epochs), console)
        recipe.write(run.recipe)
        _describe(recipe, dataset.info).save(run.dataset)
        what = f"{recipe.zoo} with {recipe.method} on {plural(dataset.info.train_size, 'image')} of {recipe.dataset}"
        console.print(f"training {what} into {run}", soft_wrap=True, highlight=False, markup=False, emoji=False)
    history = _fit(recipe, run, dataset, model, checkpoints, history, console, chief)
    with console.status("evaluating on the test split"):
        test = model.evaluate(_one_hot(dataset.test, dataset.info.num_classes), verbose=0, return_dict=True)
    history = History(epochs=history.epochs, test={name: float(test[name]) for name in ("loss", "accuracy")})
    weights = model.get_weights()  # by every worker: reading a distributed variable is a joint operation
    if chief:
        write_history(run, history)
        return _save_model(recipe, dataset.info, weights, run.model), history
    return model, history


def _describe(recipe: Recipe, info: data.DatasetInfo) -> DatasetRecord:
    return DatasetRecord(
        name=recipe.dataset,
        input_shape=info.input_shape,
        labels=list(info.labels),
        mean=list(info.mean),
        std=list(info.std),
    )


def _one_hot(batches: Any, num_classes: int) -> Any:
    return batches.map(lambda images, labels: (images, tf.one_hot(labels, num_classes)), tf.data.AUTOTUNE)


def _fit(
    recipe: Recipe,
    run: RunFolder,
    dataset: data.Dataset,
    model: Any,
    checkpoints: Checkpoints,
    history: History,
    console: Console,
    chief: bool,
) -> History:
    first = len(history.epochs)
    if first >= recipe.epochs:
        return history
    if first:
        console.print(f"resuming after epoch {first} of {recipe.epochs}", highlight=False)
    classes = dataset.info.num_classes
    recorder = Recorder(run, checkpoints, history, chief=chief)
    progress = ProgressBar(console, recipe.epochs, dataset.steps_per_epoch, first)
    callbacks = [recorder, progress]
    if chief:
        callbacks.append(tf.keras.callbacks.TensorBoard(run.logs, write_graph=False))
    try:
        model.fit(
            _one_hot(dataset.train(first, recipe.epochs - first), classes),
            initial_epoch=first,
            epochs=recipe.epochs,
            steps_per_epoch=dataset.steps_per_epoch,
            validation_data=None if dataset.validation is None else _one_hot(dataset.validation, classes),
            callbacks=callbacks,
            verbose=0,
        )
    finally:
        progress.stop()
    return recorder.history
