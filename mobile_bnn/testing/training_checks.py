"""Checks of a small network's training: it learns, goes on exactly where it was broken off, and is saved."""

from pathlib import Path
from shutil import copytree

import numpy as np

from mobile_bnn import training
from mobile_bnn.legacy_keras import tf
from mobile_bnn.records import History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training import Recipe
from mobile_bnn.typing import Array, KerasModel


def check_training(recipe: Recipe, folder: Path) -> tuple[RunFolder, History]:
    """A broken training goes on to the weights of the whole one; the saved model computes the same."""
    run, broken = RunFolder(folder / "whole"), RunFolder(folder / "broken")
    model, history = training.train(recipe, run)
    _leave_one_epoch_out(run, broken, recipe.epochs)
    resumed, _ = training.train(recipe, broken, resume=True)
    for weight, mine, theirs in zip(model.weights, model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs, f"{weight.name} differs after a resumed training")
    loaded = tf.keras.models.load_model(run.model, compile=False)
    np.testing.assert_array_equal(
        outputs_of_noise(loaded), outputs_of_noise(model), "the saved model computes something else"
    )
    return run, history


def check_learning(history: History, least_accuracy: float) -> float:
    """The loss falls, and one epoch reaches the accuracy: the best one, which is returned."""
    losses = [epoch.metrics["loss"] for epoch in history.epochs]
    # Where a soft quantizer hardens within few epochs the last ones are the hardest; where kernels begin as float, it
    # falls once more after they have become binary.
    assert min(losses[1:]) < losses[0] or losses[-1] < max(losses), f"the loss does not fall: {losses}"
    accuracies = [epoch.metrics[f"val_{history.metric}"] for epoch in history.epochs]
    assert max(accuracies) >= least_accuracy, f"no epoch reaches {least_accuracy:.0%}: {accuracies}"
    return max(accuracies)


def _leave_one_epoch_out(run: RunFolder, broken: RunFolder, epochs: int) -> None:
    """Copies what a training has on disk after its last epoch but one."""
    broken.checkpoints.mkdir(parents=True)
    name = f"epoch-{epochs - 1:05d}"
    copytree(run.checkpoints / name, broken.checkpoints / name)
    broken.recipe.write_bytes(run.recipe.read_bytes())


def outputs_of_noise(model: KerasModel) -> Array:
    """Of eight images of noise, always the same ones."""
    images = np.random.default_rng(1).normal(size=(8, *model.input_shape[1:])).astype(np.float32)
    return np.asarray(model(images, training=False))
