"""Optimizers and learning-rate schedules of a recipe."""

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.training.recipe import Recipe
from mobile_bnn.training.sections import Adam, AdaMax, Cosine, Exponential, Linear, RmsProp, Sgd, Step
from mobile_bnn.training.weight_decay import decaying
from mobile_bnn.typing import JsonObject, KerasModel, KerasOptimizer, KerasSchedule, TfTensor

_CLASSES = {
    Adam: tf.keras.optimizers.Adam,
    AdaMax: tf.keras.optimizers.Adamax,
    RmsProp: tf.keras.optimizers.RMSprop,
    Sgd: tf.keras.optimizers.SGD,
}


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class WarmUp(tf.keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Rises linearly from 0 to the value of `schedule` at step `steps`, then follows `schedule`."""

    def __init__(self, schedule: KerasSchedule, steps: int) -> None:
        self.schedule, self.steps = schedule, steps

    def __call__(self, step: TfTensor) -> TfTensor:
        """The learning rate of a step, a float32 scalar."""
        rising = tf.cast(step, tf.float32) / self.steps
        return self.schedule(step) * tf.minimum(rising, 1.0)

    def get_config(self) -> JsonObject:
        """Keras's serialization."""
        return {"schedule": tf.keras.optimizers.schedules.serialize(self.schedule), "steps": self.steps}

    @classmethod
    def from_config(cls, config: JsonObject) -> "WarmUp":
        """Keras's deserialization."""
        return cls(tf.keras.optimizers.schedules.deserialize(config["schedule"]), config["steps"])


def learning_rate(recipe: Recipe, steps_per_epoch: int, epochs: int | None = None) -> KerasSchedule:
    """The learning rate as a function of the step: a Keras schedule, so that it needs no state of its own.

    Args:
        recipe: gives the schedule and the first rate.
        steps_per_epoch: batches in an epoch.
        epochs: that the schedule is over; the recipe's for None.
    """
    schedules = tf.keras.optimizers.schedules
    rate, chosen = recipe.optimizer.learning_rate, recipe.schedule
    steps = (epochs or recipe.epochs) * steps_per_epoch
    if isinstance(chosen, Cosine):
        schedule = schedules.CosineDecay(rate, decay_steps=steps)
    elif isinstance(chosen, Linear):
        schedule = schedules.PolynomialDecay(rate, decay_steps=steps, end_learning_rate=0.0)
    elif isinstance(chosen, Exponential):
        schedule = schedules.ExponentialDecay(rate, decay_steps=steps, decay_rate=chosen.final)
    elif isinstance(chosen, Step):
        values = [rate * chosen.factor**power for power in range(len(chosen.epochs) + 1)]
        # A boundary is the last step of the old value: epoch e ends with step e·n − 1.
        boundaries = [epoch * steps_per_epoch - 1 for epoch in chosen.epochs]
        schedule = schedules.PiecewiseConstantDecay(boundaries, values)
    else:
        schedule = schedules.PiecewiseConstantDecay([0], [rate, rate])
    warmup_steps = round(chosen.warmup_epochs * steps_per_epoch)
    return WarmUp(schedule, warmup_steps) if warmup_steps else schedule


def make(recipe: Recipe, model: KerasModel, steps_per_epoch: int, epochs: int | None = None) -> KerasOptimizer:
    """The recipe's Keras optimizer of a model, or the method's; for the other arguments see `learning_rate`."""
    rate, chosen = learning_rate(recipe, steps_per_epoch, epochs), recipe.optimizer
    options = chosen.model_dump(exclude={"learning_rate", "clip_norm", "weight_decay"})
    own = _CLASSES[type(chosen)]
    make_one = decaying(own, chosen.weight_decay) if chosen.weight_decay else own
    optimizer = make_one(rate, global_clipnorm=chosen.clip_norm, **options)
    return recipe.method.optimizer(optimizer, model)


def current_learning_rate(optimizer: KerasOptimizer) -> float:
    """The learning rate of the optimizer's next step (that of the default one in Larq's CaseOptimizer)."""
    if isinstance(optimizer, larq.optimizers.CaseOptimizer):
        optimizer = optimizer.default
    rate = optimizer.learning_rate if hasattr(optimizer, "_hyper") else optimizer._learning_rate
    return float(rate(optimizer.iterations) if callable(rate) else rate)
