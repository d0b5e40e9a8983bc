"""The schedules of a method as a part of the training step: no Python runs between two steps."""

from collections.abc import Sequence

from mobile_bnn.legacy_keras import tf
from mobile_bnn.methods import Schedule
from mobile_bnn.typing import KerasModel, TfTensor


def assign(schedules: Sequence[Schedule], progress: TfTensor) -> None:
    """Gives every variable its value at a progress in [0, 1]."""
    for schedule in schedules:
        schedule.variable.assign(tf.cast(schedule.value(progress), tf.float32))


def follow(trained: KerasModel, schedules: Sequence[Schedule], first_step: int, steps: int) -> None:
    """Lets each training step begin by setting the variables.

    Args:
        trained: a compiled model.
        schedules: of variables in it.
        first_step: how many steps of the training came before its optimizer's first one.
        steps: of the whole training.
    """
    if not schedules:
        return
    plain_step = trained.train_step

    def train_step(data: object) -> object:
        taken = first_step + tf.cast(trained.optimizer.iterations, tf.float32)
        assign(schedules, taken / steps)
        return plain_step(data)

    trained.train_step = train_step


class AssignAtEpochEnd(tf.keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the variables after an epoch's last step: a checkpoint has the values that the next epoch begins with."""

    def __init__(self, schedules: Sequence[Schedule], epochs: int) -> None:
        super().__init__()
        self._schedules, self._epochs = schedules, epochs

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Keras's hook."""
        assign(self._schedules, tf.constant((epoch + 1) / self._epochs, tf.float32))
