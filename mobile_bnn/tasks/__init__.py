"""What a network is trained for, by name: its head, loss and metrics, and what its outputs mean.

    from mobile_bnn import tasks

    task = tasks.create("classification", label_smoothing=0.1)
    task.evaluate(task.decode(outputs), targets)     # {"top-1": 0.93}; NumPy only
    task.training().losses()                         # Keras

A task is a class (see `Task`); another package brings its own by an entry point of the group `mobile_bnn.tasks`, or a
script by the decorator `register`.
"""

from mobile_bnn.registry import import_modules
from mobile_bnn.tasks.task import TASKS, Task, register
from mobile_bnn.tasks.training_task import Classifier, Features, TrainingTask
from mobile_bnn.typing import Json

import_modules(__name__, __path__)


def names() -> list[str]:
    """The names of all tasks, sorted."""
    return TASKS.names()


def get(name: str) -> type[Task]:
    """The task called `name`.

    Raises:
        UsageError: there is none; the nearest names are suggested.
        MobileBnnError: another package brings it, and it cannot be loaded.
    """
    return TASKS.get(name)


def create(name: str, source: str = "", **fields: Json) -> Task:
    """The task called `name` with these options.

    Raises:
        UsageError: there is no such task, or an option is unknown or out of range; `source` begins the message.
    """
    return get(name).create(source, **fields)


__all__ = ["Classifier", "Features", "Task", "TrainingTask", "create", "get", "names", "register"]
