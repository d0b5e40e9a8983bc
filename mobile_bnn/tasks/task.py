"""The base class of tasks, the half that devices need: what outputs mean and how good they are. NumPy only."""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

import numpy as np

from mobile_bnn.named_options import NamedOptions
from mobile_bnn.registry import Registry
from mobile_bnn.typing import Array, JsonObject

if TYPE_CHECKING:
    from mobile_bnn.tasks.training_task import TrainingTask

T = TypeVar("T", bound="type[Task]")
F = TypeVar("F", bound="Task")
Prediction: TypeAlias = Any
"""Of one sample: a class number, a label map, boxes; the task says which."""


class Task(NamedOptions):
    """A task. A subclass adds its options as fields and gives the methods below.

    Attributes:
        name: in recipes and on the command line.
        headline: the metric of `evaluate` that tables, bars and cards show, such as "top-1"; 0 to 1, more is better.
        training_metric: the Keras metric of the training history that goes with it, such as "accuracy".
    """

    kind = "task"
    name: ClassVar[str]
    headline: ClassVar[str]
    training_metric: ClassVar[str]

    @classmethod
    def registered_name(cls) -> str:
        """Its name in recipes."""
        return cls.name

    def fitted(self: F, input_shape: Sequence[int], num_classes: int) -> F:
        """The same task for images of this shape (height, width, channels) and so many classes; by default itself.

        A network is built, trained and converted by the fitted task, and `decoding` is asked of it.
        """
        return self

    def fits(self, strides: Collection[int]) -> bool:
        """Whether a backbone with maps of these strides can carry the task's head; by default any."""
        return True

    @abstractmethod
    def decode(self, outputs: Sequence[Array]) -> Sequence[Prediction]:
        """The predictions in a network's outputs, one for each sample of the batch.

        Args:
            outputs: float32 [batch, ...], in the order of the network's outputs.
        """

    def check_outputs(self, shapes: Sequence[Sequence[int]]) -> None:
        """Refuses outputs that `decode` cannot read, as a damaged file may have; by default none.

        Raises:
            MobileBnnError: the shapes of the outputs are not those of the task.
        """

    @abstractmethod
    def evaluate(self, predictions: Sequence[Prediction], targets: Sequence[Prediction]) -> dict[str, float]:
        """Metrics of predictions against a data set's targets, `headline` among them."""

    def agreement(self, ours: Sequence[Prediction], theirs: Sequence[Prediction]) -> float:
        """How far two networks predict the same, 0 to 1: by default the share of equal elements."""
        return float(np.mean(np.asarray(ours) == np.asarray(theirs)))

    def evaluate_classes(self, predictions: Sequence[Prediction], targets: Sequence[Prediction]) -> dict[int, float]:
        """The metric of each class by its number, of those that the targets hold; none by default."""
        return {}

    def decoding(self) -> JsonObject:
        """The options that `decode` depends on; they travel in the file. None by default."""
        return {}

    @abstractmethod
    def training(self) -> "TrainingTask":
        """The half that training needs. It loads TensorFlow."""


TASKS: Registry[type[Task]] = Registry("task", "mobile_bnn.tasks")


def register(task: T) -> T:
    """A class decorator that makes a task known by its name."""
    TASKS.add(task.name, task, task)
    return task
