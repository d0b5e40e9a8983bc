"""What a network is trained for, by name: its head, loss and metrics, and what its outputs mean.

    from mobile_bnn import tasks

    task = tasks.create("classification", label_smoothing=0.1)
    task.evaluate(task.decode(outputs), targets)     # {"top-1": 0.93}; NumPy only
    task.training().losses()                         # Keras

A task is a class (see `Task`); another package brings its own by an entry point of the group `mobile_bnn.tasks`, or a
script by the decorator `register`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Those of ours register themselves. Their halves for training load every method, which no device needs.
from mobile_bnn.tasks import classification, detection, segmentation  # noqa: F401
from mobile_bnn.tasks.task import TASKS, Task, register
from mobile_bnn.typing import Json

if TYPE_CHECKING:
    from mobile_bnn.tasks.training_task import Classifier, Features, TrainingTask

_OF_TRAINING = ("Classifier", "Features", "TrainingTask")


def __getattr__(name: str) -> Any:
    if name in _OF_TRAINING:
        return getattr(import_module(f"{__name__}.training_task"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
