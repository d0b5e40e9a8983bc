"""The half of a task that training needs: head, targets, loss, metrics and augmentation."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
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
    def encode(self, targets: TfTensor, num_classes: int) -> TfTensor:
        """A batch of a data set's targets as the loss takes them."""

    @abstractmethod
    def losses(self) -> KerasLoss | list[KerasLoss]:
        """The loss of each output."""

    @abstractmethod
    def metrics(self) -> Sequence[KerasMetric]:
        """New metrics; one is named as the task's `training_metric`."""
