"""The teacher of a recipe: the model of another run, or a float twin that is trained first."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods.full_precision import FullPrecision
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.training.sections import FloatTwin
from mobile_bnn.typing import KerasModel

if TYPE_CHECKING:
    from mobile_bnn.records import History


# `loop.train`, of one recipe into one folder.
Train: TypeAlias = Callable[[Recipe, RunFolder], "tuple[KerasModel, History]"]


def twin_of(recipe: Recipe) -> Recipe:
    """The recipe of a float twin: the same in full precision, without a teacher of its own."""
    assert isinstance(recipe.teacher, FloatTwin)
    epochs = recipe.teacher.epochs or recipe.epochs
    nested = {**recipe.nested(), "method": {"name": FullPrecision.card.name}, "epochs": epochs}
    nested.pop("teacher")
    return Recipe.make("the float twin", **nested)


def load_teacher(recipe: Recipe, run: RunFolder, train: Train) -> KerasModel | None:
    """The trained model that teaches a recipe's; None where none does. A float twin is trained, or goes on, first.

    Raises:
        UsageError: the other run has no trained model.
    """
    if recipe.teacher is None:
        return None
    if isinstance(recipe.teacher, FloatTwin):
        return train(twin_of(recipe), RunFolder(run.teacher))[0]
    other = RunFolder(Path(recipe.teacher.run))
    if not other.model.is_file():
        raise UsageError(f"the teacher {other} has no trained model", cure=f"Train it first: mbnn train --run {other}")
    return tf.keras.models.load_model(other.model, compile=False)
