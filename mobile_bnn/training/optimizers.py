"""Optimizers and learning-rate schedules of a recipe."""

from typing import Any

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.training.recipe import Recipe


@tf.keras.utils.register_keras_serializable("mobile_bnn")
class WarmUp(tf.keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Rises linearly from 0 to what `schedule` says at step `steps`, then follows `schedule`."""

    def __init__(self, schedule: Any, steps: int) -> None:
        self.schedule, self.steps = schedule, steps

    def __call__(self, step: Any) -> Any:
        """The learning rate of a step, a float32 scalar."""
        rising = tf.cast(step, tf.float32) / self.steps
        return self.schedule(step) * tf.minimum(rising, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Keras's serialization."""
        return {"schedule": tf.keras.optimizers.schedules.serialize(self.schedule), "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmUp":
        """Keras's deserialization."""
        return cls(tf.keras.optimizers.schedules.deserialize(config["schedule"]), config["steps"])


def learning_rate(recipe: Recipe, steps_per_epoch: int) -> Any:
    """The learning rate as a function of the step: a Keras schedule, so that it needs no state of its own."""
    schedules = tf.keras.optimizers.schedules
    rate = recipe.learning_rate
    if recipe.schedule == "cosine":
        schedule = schedules.CosineDecay(rate, decay_steps=recipe.epochs * steps_per_epoch)
    elif recipe.schedule == "step":
        values = [rate * recipe.step_factor**power for power in range(len(recipe.step_epochs) + 1)]
        # A boundary is the last step of the old value: epoch e ends with step e·n − 1.
        boundaries = [epoch * steps_per_epoch - 1 for epoch in recipe.step_epochs]
        schedule = schedules.PiecewiseConstantDecay(boundaries, values)
    else:
        schedule = schedules.PiecewiseConstantDecay([0], [rate, rate])
    warmup_steps = round(recipe.warmup_epochs * steps_per_epoch)
    return WarmUp(schedule, warmup_steps) if warmup_steps else schedule


def make(recipe: Recipe, steps_per_epoch: int) -> Any:
    """The recipe's Keras optimizer."""
    rate = learning_rate(recipe, steps_per_epoch)
    if recipe.optimizer == "adam":
        return tf.keras.optimizers.Adam(rate)
    bop = larq.optimizers.Bop(threshold=recipe.bop_threshold, gamma=recipe.bop_gamma)
    # Larq's CaseOptimizer is built on Keras's legacy optimizers and takes only those.
    adam = tf.keras.optimizers.legacy.Adam(rate)
    return larq.optimizers.CaseOptimizer((larq.optimizers.Bop.is_binary_variable, bop), default_optimizer=adam)


def current_learning_rate(optimizer: Any) -> float:
    """The learning rate of the optimizer's next step (that of Adam in Larq's CaseOptimizer)."""
    if isinstance(optimizer, larq.optimizers.CaseOptimizer):
        optimizer = optimizer.default
    rate = optimizer.learning_rate if hasattr(optimizer, "_hyper") else optimizer._learning_rate
    return float(rate(optimizer.iterations) if callable(rate) else rate)
