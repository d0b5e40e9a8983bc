"""The half of a task that training needs: head, targets, loss, metrics and augmentation."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from mobile_bnn.data.augment import IMAGES_ALONE, Augment
from mobile_bnn.methods import Method
from mobile_bnn.typing import KerasLoss, KerasMetric, KerasModel, KerasTensor, TfTensor

Features: TypeAlias = dict[int, KerasTensor]
"""A backbone's maps by their stride: float32 [batch, height / stride, width / stride, channels], rounded up."""
Classifier: TypeAlias = Callable[[Features, Method, int], KerasTensor]
"""From a backbone's maps, a method and the number of classes to logits, float32 [batch, classes]."""


class TrainingTask(ABC):
    """What a model learns for a task."""

    augment: Augment = IMAGES_ALONE
    """How random changes of an image change its target along; the targets of this default stay."""

    @abstractmethod
    def outputs(
        self, features: Features, method: Method, num_classes: int, classifier: Classifier | None
    ) -> KerasTensor | list[KerasTensor]:
        """The network's outputs from a backbone's maps.

        Args:
            features: by stride.
            method: makes the binary layers of the head.
            num_classes: classes that the data set tells apart.
            classifier: the network's own from maps to logits, where its dense layers are a part of what was published.
        """

    @abstractmethod
    def logits(self, model: KerasModel) -> KerasTensor:
        """The tensor of a model before its last activation, which distillation compares."""

    @abstractmethod
    def encode(self, targets: TfTensor, num_classes: int) -> TfTensor | tuple[TfTensor, ...]:
        """A batch of a data set's targets as the losses take them: one for each output."""

    @abstractmethod
    def losses(self) -> KerasLoss | list[KerasLoss]:
        """The loss of each output."""

    @abstractmethod
    def metrics(self) -> Sequence[KerasMetric] | Mapping[str, Sequence[KerasMetric]]:
        """New metrics; one is named as the task's `training_metric`.

        Of several outputs those of each, by its name: Keras calls the metric "accuracy" of the output "scores"
        "scores_accuracy".
        """

    def metric_names(self) -> list[str]:
        """The names that Keras's logs have for the metrics."""
        metrics = self.metrics()
        if not isinstance(metrics, Mapping):
            return [metric.name for metric in metrics]
        return [f"{output}_{metric.name}" for output, each in metrics.items() for metric in each]
