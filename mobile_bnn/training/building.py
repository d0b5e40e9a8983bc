"""Building and compiling a recipe's model, in one phase of its training."""

from collections.abc import Mapping, Sequence
from typing import Any

from mobile_bnn import data, zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.methods import Phase
from mobile_bnn.methods.plan import WHOLE
from mobile_bnn.tasks import TrainingTask
from mobile_bnn.training import optimizers
from mobile_bnn.training.distillation import Distillation
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.training.stages import Stage
from mobile_bnn.typing import KerasLayer, KerasMetric, KerasModel


def build_model(recipe: Recipe, info: data.DatasetInfo, phase: Phase = WHOLE) -> KerasModel:
    """The recipe's zoo model, for the data set's image shape and classes, not compiled.

    Args:
        recipe: names the architecture, the method and the task.
        info: of the data set.
        phase: what of its binary layers is binarized.
    """
    method = recipe.method.in_phase(phase)
    return zoo.build(recipe.zoo, method, info.input_shape, info.num_classes, recipe.task, recipe.network)


def build_stage(recipe: Recipe, dataset: data.Dataset, stage: Stage) -> KerasModel:
    """The model of a stage, with the metrics of training and only its layers trainable, not compiled.

    Raises:
        UsageError: XLA shall compile what it does not compute reproducibly.
    """
    # Larq's metric creates its variables within the step, which replicas of a strategy cannot do.
    flip_ratio = recipe.runtime.flip_ratio and recipe.runtime.strategy == "none"
    with larq.context.metrics_scope(["flip_ratio"] if flip_ratio else []):
        model = build_model(recipe, dataset.info, stage.phase)
    if recipe.runtime.jit and (pool := next(filter(_is_maximum_pool, model.layers), None)):
        raise UsageError(
            f"runtime.jit: {recipe.zoo} has a maximum pool ({pool.name})",
            why="XLA has no gradient of it that is the same each time, and a training must be",
            cure="Leave runtime.jit out, or take an architecture without, such as resnet20",
        )
    for layer in model.layers:
        if not stage.phase.trainable(layer):
            layer.trainable = False
    return model


def compile_stage(
    model: KerasModel,
    recipe: Recipe,
    dataset: data.Dataset,
    task: TrainingTask,
    stage: Stage,
    teacher: KerasModel | None,
) -> KerasModel:
    """Compiles a stage's model and returns what trains it: itself, or with a teacher a `Distillation` of it."""
    trained = model
    if teacher is not None and recipe.teacher is not None:
        options = recipe.teacher if stage.phase.attention else recipe.teacher.model_copy(update={"attention": 0.0})
        trained = Distillation(model, teacher, task, options)
    trained.compile(
        optimizer=optimizers.make(recipe, model, dataset.steps_per_epoch, stage.schedule_epochs),
        loss=task.losses(),
        metrics=_by_output(task.metrics()),
        jit_compile=recipe.runtime.jit,
    )
    return trained


def _by_output(metrics: Sequence[KerasMetric] | Mapping[str, Sequence[KerasMetric]]) -> Any:
    """As Keras takes them: a list for one output, else a list for each."""
    return dict(metrics) if isinstance(metrics, Mapping) else list(metrics)


def _is_maximum_pool(layer: KerasLayer) -> bool:
    return isinstance(layer, tf.keras.layers.MaxPooling1D | tf.keras.layers.MaxPooling2D | tf.keras.layers.MaxPooling3D)
