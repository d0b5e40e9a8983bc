"""One training of a recipe in its folder: builds, restores, trains stage after stage, evaluates and saves."""

from pathlib import Path

from rich.console import Console

from mobile_bnn import data
from mobile_bnn.files import atomic_file, remove_leftovers
from mobile_bnn.legacy_keras import tf
from mobile_bnn.records import DatasetRecord, History
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training.building import build_model, build_stage, compile_stage
from mobile_bnn.training.callbacks import ProgressBar, Recorder, write_history
from mobile_bnn.training.checkpoints import Checkpoints
from mobile_bnn.training.initial_weights import initial_weights, is_path
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.training.schedules import AssignAtEpochEnd, follow
from mobile_bnn.training.stages import Stage, stages
from mobile_bnn.training.teachers import Train, found_teacher, twin_of
from mobile_bnn.typing import Array, KerasModel, TfDataset, TfStrategy
from mobile_bnn.wording import plural
from mobile_bnn.zoo.trained import named_weights


class Session:
    """A training.

    Args:
        recipe: with absolute paths.
        run: its folder.
        dataset: loaded by the recipe.
        strategy: of tf.distribute.
        console: where progress is shown.
        chief: whether this process writes files; see `Checkpoints`.
    """

    def __init__(
        self, recipe: Recipe, run: RunFolder, dataset: data.Dataset, strategy: TfStrategy, console: Console, chief: bool
    ) -> None:
        self._recipe, self._run, self._dataset = recipe, run, dataset
        self._strategy, self._console, self._chief = strategy, console, chief
        self._task = recipe.task.fitted(dataset.info.input_shape, dataset.info.num_classes).training()
        self._history = History()

    @property
    def trained_epochs(self) -> int:
        """How many epochs are trained."""
        return len(self._history.epochs)

    def build(self, *, fresh: bool) -> None:
        """Builds the model of the stage that is next, in the folder's state or, if `fresh`, of the first one.

        Raises:
            UsageError: the recipe does not fit the data, its first weights, or its teacher.
        """
        saved = [] if fresh else Checkpoints.saved_epochs(self._run.checkpoints)
        self._left = [stage for stage in stages(self._recipe) if not saved or saved[-1] < stage.last]
        self._left = self._left or stages(self._recipe)[-1:]
        tf.keras.utils.set_random_seed(self._recipe.runtime.seed)
        self._model = build_stage(self._recipe, self._dataset, self._left[0])
        if self._recipe.weights and not saved:
            self._begin_with(self._recipe.weights)
        self._teacher, self._twin = found_teacher(self._recipe, self._model), twin_of(self._recipe)

    def _begin_with(self, weights: str) -> None:
        name = self._recipe.zoo
        source = weights if is_path(weights, name) else f"{name}:{weights}"
        assigned = named_weights.assign(self._model, initial_weights(weights, name), source)
        fresh = f", {', '.join(assigned.fresh)} at random" if assigned.fresh else ""
        self._console.print(f"begins with the weights of {source}{fresh}", soft_wrap=True, highlight=False)

    def restore(self) -> None:
        """Reads how far the training came."""
        self._history = Checkpoints.newest_history(self._run.checkpoints)

    def train(self, train: Train) -> tuple[KerasModel, History]:
        """Trains what is left, evaluates on the test split and saves the model.

        Args:
            train: trains a teacher where the recipe asks for one.
        """
        recipe, run = self._recipe, self._run
        teacher = self._teacher
        if self._twin:
            teacher, _ = train(self._twin, RunFolder(run.teacher))
        tf.keras.utils.set_random_seed(recipe.runtime.seed)  # as if no teacher had been trained before
        if self._chief:
            self._begin()
        for index, stage in enumerate(self._left):
            with self._strategy.scope():
                if index:
                    self._model = build_stage(recipe, self._dataset, stage)
                trained = compile_stage(self._model, recipe, self._dataset, self._task, stage, teacher)
            self._run_stage(stage, trained)
        with self._console.status("evaluating on the test split"):
            test = trained.evaluate(self._encoded(self._dataset.test), verbose=0, return_dict=True)
        kept = ("loss", *self._task.metric_names())
        history = self._history.model_copy(update={"test": {name: float(test[name]) for name in kept}})
        weights = self._model.get_weights()  # by every worker: reading a distributed variable is a joint operation
        if not self._chief:
            return self._model, history
        write_history(run, history)
        return self._saved(weights, run.model), history

    def _begin(self) -> None:
        recipe, run, info = self._recipe, self._run, self._dataset.info
        remove_leftovers(run.checkpoints)
        recipe.write(run.recipe)
        DatasetRecord(
            name=recipe.data.name,
            input_shape=info.input_shape,
            labels=list(info.labels),
            mean=list(info.mean),
            std=list(info.std),
        ).save(run.dataset)
        images = plural(info.train_size, "image")
        what = f"{recipe.zoo} with {recipe.method.card.name} on {images} of {recipe.data.name}"
        self._console.print(f"training {what} into {run}", soft_wrap=True, highlight=False, markup=False, emoji=False)

    def _run_stage(self, stage: Stage, trained: KerasModel) -> None:
        """Trains a stage's model from the newest checkpoint to the stage's end."""
        checkpoints = Checkpoints(self._run.checkpoints, self._model, trained.optimizer, chief=self._chief)
        begins = self.trained_epochs == stage.first
        task = self._recipe.task
        named = {"metric": task.training_metric, "headline": task.headline}
        history = checkpoints.restore(optimizer=not (begins and stage.new_optimizer)).model_copy(update=named)
        first, recipe, dataset = len(history.epochs), self._recipe, self._dataset
        self._history = history
        if first >= stage.last:
            return
        if begins and stage.phase.begin is not None:
            images = next(iter(dataset.train(first, 1)))[0]
            stage.phase.begin(self._model, images)
        if first and not begins:
            self._console.print(f"resuming after epoch {first} of {recipe.epochs}", highlight=False)
        elif first:
            self._console.print(f"phase {stage.phase.name!r} after epoch {first} of {recipe.epochs}", highlight=False)
        recorder = Recorder(self._run, checkpoints, history, self._model, chief=self._chief)
        metric = recipe.task.training_metric
        progress = ProgressBar(self._console, recipe.epochs, dataset.steps_per_epoch, first, metric)
        schedules = recipe.method.all_schedules(self._model)
        steps = dataset.steps_per_epoch
        follow(trained, schedules, stage.optimizer_since * steps, recipe.epochs * steps)
        callbacks = [AssignAtEpochEnd(schedules, recipe.epochs), recorder, progress]
        if self._chief:
            callbacks.append(tf.keras.callbacks.TensorBoard(self._run.logs, write_graph=False))
        validation = dataset.validation
        try:
            trained.fit(
                self._encoded(dataset.train(first, stage.last - first)),
                initial_epoch=first,
                epochs=stage.last,
                steps_per_epoch=dataset.steps_per_epoch,
                validation_data=None if validation is None else self._encoded(validation),
                callbacks=callbacks,
                verbose=0,
            )
        finally:
            progress.stop()
        self._history = recorder.history

    def _encoded(self, batches: TfDataset) -> TfDataset:
        """Batches with targets as the loss takes them."""
        encode, classes = self._task.encode, self._dataset.info.num_classes
        return batches.map(lambda images, targets: (images, encode(targets, classes)), tf.data.AUTOTUNE)

    def _saved(self, weights: list[Array], path: Path) -> KerasModel:
        """Saves the trained weights in a model without training-time metrics, and returns that model."""
        model = build_model(self._recipe, self._dataset.info)
        model.set_weights(weights)
        with atomic_file(path) as part:
            model.save(part, save_format="keras")
        return model
