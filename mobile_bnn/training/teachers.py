"""The teacher of a recipe: the model of another run, or a float twin that is trained first."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mobile_bnn.errors import UsageError
from mobile_bnn.methods.full_precision import FullPrecision
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training.distillation import check_fit
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.training.saved_models import saved_model
from mobile_bnn.training.sections import FloatTwin, RunTeacher
from mobile_bnn.typing import KerasModel

if TYPE_CHECKING:
    from mobile_bnn.records import History


# `loop.train`, of one recipe into one folder.
Train: TypeAlias = Callable[[Recipe, RunFolder], "tuple[KerasModel, History]"]


def twin_of(recipe: Recipe) -> Recipe | None:
    """The recipe of a float twin that teaches: the same in full precision, without a teacher; None for another teacher.

    Raises:
        UsageError: the recipe's schedule does not fit into the twin's epochs.
    """
    if not isinstance(recipe.teacher, FloatTwin):
        return None
    epochs = recipe.teacher.epochs or recipe.epochs
    nested = {**recipe.nested(), "method": {"name": FullPrecision.card.name}, "epochs": epochs}
    for of_the_student in ("teacher", "weights"):
        nested.pop(of_the_student, None)
    return Recipe.make("the float twin", **nested)


def found_teacher(recipe: Recipe, student: KerasModel) -> KerasModel | None:
    """The model of the other run that teaches; None where no run does.

    Raises:
        UsageError: that run has no trained model, or one that does not fit the student.
    """
    if not isinstance(recipe.teacher, RunTeacher):
        return None
    other = RunFolder(Path(recipe.teacher.run))
    if not other.model.is_file():
        raise UsageError(f"the teacher {other} has no trained model", cure=f"Train it first: mbnn train --run {other}")
    teacher = saved_model(other.model)
    check_fit(student, teacher)
    return teacher
